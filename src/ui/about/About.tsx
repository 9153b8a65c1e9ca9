/** What the page shows and where its numbers come from. */
export default function About() {
  return <main />;
}
