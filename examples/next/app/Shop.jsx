"use client";

import { useEffect, useState } from "react";

import { analytics } from "./analytics.js";

export function Shop() {
  const [visitor, setVisitor] = useState("");
  useEffect(() => { analytics.user().then((user) => setVisitor(user.anonymousId())); }, []);
  return (
    <>
      <button id="order" onClick={() => analytics.track("Ordered", { fruit: "satsuma" })}>Order a satsuma</button>
      <p id="visitor">{visitor}</p>
    </>
  );
}
