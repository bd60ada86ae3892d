// A client in TypeScript over what openapi-typescript makes of the description: it scores, scores a
// batch, pages through decisions and reads a problem; prints what it got as JSON.
import type { components, operations, paths } from "./api";

type Schemas = components["schemas"];
type Decision = operations["score_subject"]["responses"]["200"]["content"]["application/json"];
type Lines = operations["score_subjects"]["responses"]["200"]["content"]["application/json"];
type ListQuery = NonNullable<paths["/v1/decisions"]["get"]["parameters"]["query"]>;

declare const process: { env: Record<string, string>; exit(code: number): never };

const address = process.env.TIDEGATE_ADDRESS;
const key = process.env.TIDEGATE_KEY;
const shipment: NonNullable<Schemas["Submission"]["shipment"]> = JSON.parse(process.env.SHIPMENT);

async function ask<Answer>(path: keyof paths, init: RequestInit = {}, query = ""): Promise<Answer> {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...init.headers };
  const response = await fetch(`${address}${path}${query}`, { ...init, headers });
  const answer = await response.json();
  if (!response.ok) throw answer as Schemas["Problem"];
  return answer as Answer;
}

function submission(hs_code: string): Schemas["Submission"] {
  return { subject_kind: "shipment", shipment: { ...shipment, hs_code } };
}

function sent(body: unknown, idempotencyKey: string): RequestInit {
  return { method: "POST", body: JSON.stringify(body), headers: { "Idempotency-Key": idempotencyKey } };
}

async function main(): Promise<void> {
  const decision = await ask<Decision>("/v1/scores", sent(submission("890310"), "t-1"));
  const batch = [submission("890310"), submission("8903")];
  const lines = await ask<Lines>("/v1/scores/batch", sent(batch, "t-2"));
  const listed: string[] = [];
  let query: ListQuery = { limit: 1, subject_kind: "shipment" };
  for (;;) {
    const asked = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, `${value}`]));
    const page = await ask<Schemas["DecisionPage"]>("/v1/decisions", {}, `?${asked}`);
    listed.push(...page.decisions.map((each) => each.decision_id));
    if (page.next === null) break;
    query = { ...query, cursor: page.next };
  }
  const problem = await ask<Decision>("/v1/scores", sent(submission("8903"), "t-3")).catch(
    (problem: Schemas["Problem"]) => problem.errors.map((fault) => fault.pointer),
  );
  const statuses = lines.map((line) => line.status);
  console.log(JSON.stringify({ decision: decision.decision_id, statuses, listed, problem }));
}

main().catch((problem: unknown) => {
  console.log(JSON.stringify(problem));
  process.exit(1);
});
