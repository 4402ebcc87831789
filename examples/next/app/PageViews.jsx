"use client";

import { usePathname } from "next/navigation";
import { useEffect } from "react";

import { analytics } from "./analytics.js";

/** Counts each page that the router shows. */
export function PageViews() {
  const pathname = usePathname();
  useEffect(() => { analytics.page(); }, [pathname]);
  return null;
}
