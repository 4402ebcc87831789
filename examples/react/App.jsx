import { useEffect, useState } from "react";

import { analytics } from "./analytics.js";

/** The visitor's anonymousId, as soon as it is known. */
function useAnonymousId() {
  const [id, setId] = useState("");
  useEffect(() => {
    let gone = false;
    analytics.user().then((user) => gone || setId(user.anonymousId()));
    return () => { gone = true; };
  }, []);
  return id;
}

export function App() {
  const [view, setView] = useState("shop");
  const visitor = useAnonymousId();
  // One page view for each view of the app. In development StrictMode runs effects twice, and so it counts each view twice.
  useEffect(() => { analytics.page(view); }, [view]);
  return (
    <>
      <button id="order" onClick={() => analytics.track("Ordered", { fruit: "satsuma" })}>Order a satsuma</button>
      <button id="cart" onClick={() => setView("cart")}>Cart</button>
      <p id="visitor">{visitor}</p>
    </>
  );
}
