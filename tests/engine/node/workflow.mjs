// The whole way of a fine-tune with the official Node client. Takes address and key from the environment and prints one
// JSON object of what it saw; a refusal that it did not expect ends it with the client's own error.
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ maxRetries: 0 });
const jobs = client.fineTuning.jobs;
const ENDED = ["succeeded", "failed", "cancelled"];
const seen = {};

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function until(id, fits) {
  for (;;) {
    const job = await jobs.retrieve(id);
    if (fits(job)) return job;
    if (ENDED.includes(job.status)) throw new Error(`${job.status}: ${JSON.stringify(job.error)}`);
    await pause(50);
  }
}

async function all(page) {
  const found = [];
  for await (const one of page) found.push(one);
  return found;
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return { kind: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
  return null;
}

const chat = { messages: [{ role: "user", content: "a" }, { role: "assistant", content: "b" }] };
const pair = {
  input: { messages: [{ role: "user", content: "a" }] },
  preferred_output: [{ role: "assistant", content: "b" }],
  non_preferred_output: [{ role: "assistant", content: "c" }],
};
const lines = (example) => Buffer.from(`${JSON.stringify(example)}\n`.repeat(20));

// Files
const file = await client.files.create({ file: await toFile(lines(chat), "train.jsonl"), purpose: "fine-tune" });
const pairs = await client.files.create({ file: await toFile(lines(pair), "pairs.jsonl"), purpose: "fine-tune" });
seen.processed = (await client.files.waitForProcessing(file.id)).status;
seen.bytes = (await (await client.files.content(file.id)).arrayBuffer()).byteLength === file.bytes;

// A supervised job to its end
const supervised = { type: "supervised", supervised: { hyperparameters: { n_epochs: 2 } } };
const base = process.env.BASE_MODEL;
const made = await jobs.create({ model: base, training_file: file.id, suffix: "node", method: supervised });
seen.created = { status: made.status, object: made.object };
const done = await until(made.id, (job) => job.status === "succeeded");
seen.job = done;
seen.messages = (await all(jobs.listEvents(made.id, { limit: 5 }))).map((event) => event.message).reverse();
const checkpoints = await all(jobs.checkpoints.list(made.id));
seen.checkpoints = checkpoints.map((one) => one.step_number);
const table = await (await client.files.content(done.result_files[0])).text();
seen.result = Buffer.from(table, "base64").toString().split("\n")[0];

// Talking to what was made
const question = { messages: [{ role: "user", content: "a" }] };
for (const model of [done.fine_tuned_model, checkpoints[0].fine_tuned_model_checkpoint]) {
  const answer = await client.chat.completions.create({ model, ...question });
  seen.answered = [...(seen.answered ?? []), answer.model === model && answer.choices[0].message.role];
}
let streamed = 0;
let reason = null;
for await (const chunk of await client.chat.completions.create({ model: done.fine_tuned_model, stream: true, ...question })) {
  streamed += 1;
  reason = chunk.choices[0]?.finish_reason ?? reason;
}
seen.stream = { chunks: streamed > 1, reason };

const response = await client.responses.create({ model: done.fine_tuned_model, input: "a" });
seen.responded = response.status === "completed" && response.output_text.length > 0;

// A preference job that is paused, resumed and cancelled
const dpo = { type: "dpo", dpo: { hyperparameters: { n_epochs: 50, beta: 0.2 } } };
const second = await jobs.create({ model: base, training_file: pairs.id, suffix: "slow", method: dpo });
await until(second.id, (job) => job.status === "running" && job.estimated_finish !== null);
const paused = await jobs.pause(second.id);
seen.paused = { status: paused.status, estimated_finish: paused.estimated_finish };
seen.dpo = (await jobs.retrieve(second.id)).method;
await jobs.resume(second.id);
await until(second.id, (job) => job.status === "running");
seen.cancelled = (await jobs.cancel(second.id)).status;

// Lists, refusals, removal
seen.listed = (await all(jobs.list({ limit: 1 }))).map((job) => job.id).slice(0, 2).join() === [second.id, made.id].join();
seen.models = (await all(client.models.list())).map((model) => model.id).includes(done.fine_tuned_model);
seen.refused = [
  await refusal(jobs.create({ model: base, training_file: "file-unknown" })),
  await refusal(jobs.create({ model: base, training_file: file.id, method: { type: "reinforcement" } })),
  await refusal(jobs.cancel(made.id)),
  await refusal(jobs.retrieve("ftjob-unknown")),
];
seen.deleted = (await client.models.delete(done.fine_tuned_model)).deleted;
seen.gone = await refusal(client.chat.completions.create({ model: done.fine_tuned_model, ...question }));
console.log(JSON.stringify(seen));
