import { ArrowRight } from "lucide-react";

import { Section } from "../../components/Section";

const PLACES = [
  {
    href: "/admin/",
    name: "Admin",
    text: "Accounts, proxies with all their settings, recordings and the log of requests.",
  },
  {
    href: "/api/v1/docs",
    name: "API",
    text: "What scripts can ask this server, with every field explained.",
  },
  {
    href: "/healthz",
    name: "Health",
    text: "This page’s facts as JSON, for monitoring. /readyz also asks for the proxies.",
  },
];

/** Where the other doors are. */
export function Places() {
  return (
    <Section title="Where things are">
      <ul className="divide-y divide-line">
        {PLACES.map(({ href, name, text }) => (
          <li key={href} className="py-4">
            <a
              href={href}
              className="group inline-flex items-center gap-1 font-medium text-accent-text hover:underline pointer-coarse:py-2"
            >
              {name}
              <ArrowRight size={14} aria-hidden />
            </a>
            <p className="mt-0.5 text-fg-muted">{text}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
