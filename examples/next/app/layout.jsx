import Link from "next/link";

import { PageViews } from "./PageViews.jsx";

export const metadata = { title: "Satsuma with Next", icons: { icon: "data:," } };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <PageViews />
        <Link id="cart" href="/cart">Cart</Link>
        {children}
      </body>
    </html>
  );
}
