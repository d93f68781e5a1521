"""The bundled samples and the scripts that make them."""
