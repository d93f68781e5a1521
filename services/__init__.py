"""The programs of Lectern: four workers, the gateway and the command line; none imports another."""
