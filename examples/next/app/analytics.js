"use client";

import { AnalyticsBrowser } from "@satsuma/analytics";

// On the server, where this module is run to render the first HTML, loading does nothing.
export const analytics = AnalyticsBrowser.load({
  writeKey: process.env.NEXT_PUBLIC_WRITE_KEY ?? "example",
  cdnURL: process.env.NEXT_PUBLIC_COLLECTOR ?? "http://127.0.0.1:8000",
});
