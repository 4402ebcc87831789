import { Shop } from "./Shop.jsx";

export default function Page() {
  return <Shop />;
}
