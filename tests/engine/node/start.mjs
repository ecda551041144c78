// Starts a fine-tune with the official Node client and leaves: another program is to watch it. Prints the job's id.
// Address and key come from the environment, the base model and the file from the arguments.
import { createReadStream } from "node:fs";
import OpenAI from "openai";

const [model, path] = process.argv.slice(2);
const client = new OpenAI({ maxRetries: 0 });
const file = await client.files.create({ file: createReadStream(path), purpose: "fine-tune" });
const job = await client.fineTuning.jobs.create({ model, training_file: file.id, suffix: "from-node" });
console.log(job.id);
