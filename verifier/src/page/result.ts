/** A verdict as elements: one heading, what it is of, four lines. */
import { ageOf, nameOf, sayAge, sentenceOf } from "../report.ts";
import { SUMMARY, TITLES } from "../sentences.ts";
import { RESTS_ON } from "../sentences_more.ts";
import type { Trust } from "../trust.ts";
import type { Line, Verdict } from "../verdict.ts";
import { pick } from "./language.ts";

const SIGNS = { holds: "✓", fails: "✗", pending: "…", not_stated: "–" } as const;

function make(tag: string, className: string, ...content: (string | Node)[]): HTMLElement {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...content);
  return element;
}

function sign(state: Line["state"]): HTMLElement {
  const element = make("span", "sign", SIGNS[state]);
  element.setAttribute("aria-hidden", "true");
  return element;
}

export function renderVerdict(verdict: Verdict, trust: Trust, withDocument: boolean): HTMLElement {
  const summary = SUMMARY[verdict.state];
  const kind =
    verdict.kind === "registration" ? pick("登记凭证", "Registration receipt") : pick("采信凭证", "Reliance receipt");
  const words = pick(`${kind}${summary.zh}`, `${kind} ${summary.en}`);
  const title = make("h2", "", sign(verdict.state), make("span", "", words));
  title.id = "result-title";
  title.tabIndex = -1;
  return make(
    "article",
    `verdict ${verdict.state}`,
    title,
    make("p", "about", `${nameOf(verdict, trust)} · `, make("code", "", verdict.receipt)),
    make("p", "about as-of", sayAsOf(verdict)),
    make(
      "p",
      "about",
      withDocument
        ? pick("已与所选材料原文件核对。", "Compared with the document you chose.")
        : pick("没有核对材料原文件。", "No document was compared."),
    ),
    make("ul", "lines", ...verdict.lines.map(renderLine)),
  );
}

function sayAsOf(verdict: Verdict): string {
  const age = ageOf(verdict, Math.floor(Date.now() / 1000));
  if (verdict.asOf === null || age === null) return pick("手头没有链上数据。", "Nothing of the chain is at hand.");
  const { zh, en } = sayAge(age);
  return pick(
    `依据截至区块 ${verdict.asOf.block}（${zh}）。`,
    `The facts reach to block ${verdict.asOf.block}, ${en}.`,
  );
}

function renderLine(line: Line): HTMLElement {
  const [title, sentence] = [TITLES[line.question], sentenceOf(line)];
  const what = make("span", "what", pick(sentence.zh, sentence.en));
  const item = make("li", line.state, sign(line.state), make("span", "question", pick(title.zh, title.en)), what);
  const state = SUMMARY[line.state];
  item.querySelector(".question")?.append(make("span", "visually-hidden", pick(`：${state.zh}。`, `: ${state.en}.`)));
  const rests = line.restsOn.map((each) => RESTS_ON[each]).filter((each) => each !== undefined);
  const why: (string | Node)[] = [];
  if (line.code !== null) why.push(make("code", "", line.code));
  if (line.state === "holds" && rests.length > 0) {
    why.push(
      pick(`依据：${rests.map((each) => each.zh).join("、")}`, `Rests on ${rests.map((each) => each.en).join(", ")}`),
    );
  }
  if (why.length > 0) item.append(make("span", "why", ...why));
  return item;
}
