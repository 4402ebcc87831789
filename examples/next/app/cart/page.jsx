export default function Page() {
  return <p>The cart is empty.</p>;
}
