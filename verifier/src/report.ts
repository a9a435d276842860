/** A verdict as JSON for machines, and as lines for people. Same members as `tongban verify --json`. */
import { HOLDING, NOT_STATED, SENTENCES, SUMMARY, type Sentence, TITLES } from "./sentences.ts";
import type { Trust } from "./trust.ts";
import { type Line, type Verdict, codesOf } from "./verdict.ts";

const MARKS = { holds: "✓", fails: "✗", pending: "…", not_stated: "–" } as const;

export function sentenceOf(line: Line): Sentence {
  if (line.code !== null) return SENTENCES[line.code];
  return line.state === "not_stated" ? NOT_STATED : HOLDING[line.question];
}

/** Name of the city as the trust file gives it; its code if it names none. */
export const nameOf = (verdict: Verdict, trust: Trust): string => trust.members.get(verdict.city)?.name ?? verdict.city;

/** Seconds from the newest block the facts reach to until `at`; null: no facts. */
export const ageOf = (verdict: Verdict, at: number): number | null =>
  verdict.asOf === null ? null : Math.max(0, at - verdict.asOf.timestamp);

/** An age in words: minutes, hours or days. */
export function sayAge(seconds: number): Sentence {
  const steps: [number, string, string][] = [
    [86_400, "天", "day"],
    [3600, "小时", "hour"],
    [60, "分钟", "minute"],
  ];
  for (const [unit, zh, en] of steps) {
    const count = Math.floor(seconds / unit);
    if (count >= 1) return { zh: `${count} ${zh}前`, en: `${count} ${en}${count === 1 ? "" : "s"} ago` };
  }
  return { zh: "不到一分钟前", en: "less than a minute ago" };
}

export function describe(verdict: Verdict, trust: Trust, at: number): { [name: string]: unknown } {
  return {
    holds: verdict.state === "holds",
    state: verdict.state,
    codes: codesOf(verdict),
    kind: verdict.kind,
    receipt: verdict.receipt,
    city: verdict.city,
    city_name: nameOf(verdict, trust),
    as_of_block: verdict.asOf?.block ?? null,
    age_s: ageOf(verdict, at),
    lines: verdict.lines.map((line) => ({
      question: line.question,
      state: line.state,
      code: line.code,
      sentence_zh: sentenceOf(line).zh,
      sentence_en: sentenceOf(line).en,
      rests_on: line.restsOn,
    })),
  };
}

export function writeLines(verdict: Verdict, trust: Trust, at: number): string[] {
  const summary = SUMMARY[verdict.state];
  const codes = [...new Set(codesOf(verdict))].map((each) => ` [${each}]`).join("");
  const lines = [`${nameOf(verdict, trust)} ${verdict.receipt}：${summary.zh} / ${summary.en}${codes}`];
  for (const line of verdict.lines) {
    const [title, sentence] = [TITLES[line.question], sentenceOf(line)];
    lines.push(`${MARKS[line.state]} ${title.zh}：${sentence.zh}`, `  ${title.en}: ${sentence.en}`);
  }
  const age = ageOf(verdict, at);
  if (verdict.asOf !== null && age !== null) {
    const words = sayAge(age);
    lines.push(`依据截至区块 ${verdict.asOf.block}（${words.zh}） / facts reach to this block, ${words.en}`);
  }
  return lines;
}
