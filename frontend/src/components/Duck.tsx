/** The brand mark; decoration beside the name. */
export function Duck({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path
        className="fill-duck"
        d="M1.5 11.8c0-.6.6-.9 1.1-.6 1.9 1.2 4.2 1.5 6.2.7A5.9 5.9 0 1 1 18.9 12c1.3 1 2 2.5 2 4.1 0 3.1-2.9 5.4-6.4 5.4H9.3c-4.4 0-7.8-3.7-7.8-8.2z"
      />
      <path className="fill-beak" d="M19.7 6.5l3 .9c.6.2.6 1-.1 1.2l-3.2.9z" />
      <circle cx="16.2" cy="6.8" r="1.1" fill="#171a2b" />
    </svg>
  );
}
