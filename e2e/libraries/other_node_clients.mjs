// Makes the same calls with RudderStack's or June's library for Node. Reads {library, writeKey, url, timestamp}.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(`${process.env.SATSUMA_LIBRARIES}/`);
const { library, writeKey, url, timestamp } = JSON.parse(await text(process.stdin));

const start = {
  rudderstack() {
    const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
    const client = new RudderAnalytics(writeKey, { dataPlaneUrl: url });
    return { client, end: () => client.flush() };
  },
  june() {
    const { Analytics } = require("@june-so/analytics-node");
    // Its collector's address can't be set, but what makes its requests can.
    const httpClient = (asked, options) => fetch(asked.replace("https://api.june.so", url), options);
    const client = new Analytics(writeKey, { httpClient });
    return { client, end: () => client.closeAndFlush() };
  },
};

const { client, end } = start[library]();
client.identify({ userId: "u1", traits: { plan: "lime" } });
client.track({ userId: "u1", event: "Order Completed", properties: { total: 12.5 }, timestamp: new Date(timestamp) });
client.page({ userId: "u1", name: "Home", properties: { path: "/" } });
client.group({ userId: "u1", groupId: "g1", traits: { employees: 4 } });
await end();
