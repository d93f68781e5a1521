// Makes a user for each service, who can read and write that service's database alone. For mongosh.
//
// MongoDB's image runs it at the first start of an empty volume. It can be run again at any time, such as for a volume
// from before these users or for new passwords: users that are there get the password and the rights anew.

const SERVICES = ["gateway", "ingest", "transcription", "analysis", "rendering"];
const prefix = process.env.LECTERN_MONGO_PREFIX || "lectern";

for (const service of SERVICES) {
  const variable = `MONGO_${service.toUpperCase()}_PASSWORD`;
  const password = process.env[variable];
  if (!password) {
    throw new Error(`${variable} is not set: give a password for the user ${service}`);
  }
  const name = `${prefix}_${service}`;
  const database = db.getSiblingDB(name);
  const roles = [{ role: "readWrite", db: name }];
  if (database.getUser(service) === null) {
    database.createUser({ user: service, pwd: password, roles });
  } else {
    database.updateUser(service, { pwd: password, roles });
  }
}
