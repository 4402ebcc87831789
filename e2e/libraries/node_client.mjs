// Makes calls with Segment's library for Node. Reads {settings, calls: [[method, argument], ...]}, writes what failed.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { Analytics } = createRequire(`${process.env.SATSUMA_LIBRARIES}/`)("@segment/analytics-node");
const { settings, calls } = JSON.parse(await text(process.stdin));
const analytics = new Analytics(settings);
const failed = [];
analytics.on("error", (error) => failed.push({ code: error.code, reason: String(error.reason) }));
for (const [method, argument] of calls) analytics[method](argument);
await analytics.closeAndFlush();
console.log(JSON.stringify(failed));
