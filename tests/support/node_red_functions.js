// Runs function nodes of a Node-RED flow as Node-RED does: their text as the body of a function of msg, context, flow.
// Standard input: {"flow": [nodes], "calls": [{"node": id, "msg": {...}}]}; prints what each call returned, or null.
"use strict";
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const store = () => {
    const held = new Map();
    return { get: (key) => held.get(key), set: (key, value) => held.set(key, value), keys: () => [...held.keys()] };
};
const flow = store();
const contexts = new Map(given.flow.map((node) => [node.id, store()]));
const answers = given.calls.map(({ node: id, msg }) => {
    const node = given.flow.find((one) => one.id === id);
    const run = new Function("msg", "context", "flow", "node", node.func);
    const said = run(msg, contexts.get(id), flow, { warn() {}, error() {}, status() {} });
    return said === undefined ? null : said;
});
process.stdout.write(JSON.stringify({ answers, seen: (contexts.get("leakloc-once").get("seen") || []).length }));
