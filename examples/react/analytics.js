import { AnalyticsBrowser } from "@satsuma/analytics";

export const analytics = AnalyticsBrowser.load({
  writeKey: import.meta.env.VITE_WRITE_KEY ?? "example",
  cdnURL: import.meta.env.VITE_COLLECTOR ?? "http://127.0.0.1:8000",
});
