/** The two languages of the page; one is shown at a time. */

let chinese = true;

export const isChinese = (): boolean => chinese;
export const pick = (zh: string, en: string): string => (chinese ? zh : en);

export function byId(id: string): HTMLElement;
export function byId(id: string, optional: true): HTMLElement | null;
export function byId(id: string, optional = false): HTMLElement | null {
  const found = document.getElementById(id);
  if (found === null && !optional) throw new Error(`no element ${id}`);
  return found;
}

export function switchLanguage(toChinese: boolean): void {
  chinese = toChinese;
  document.documentElement.lang = chinese ? "zh-CN" : "en";
  document.title = pick("通办 · 离线核验凭证", "Tongban · verify a receipt offline");
  const button = byId("language");
  button.textContent = pick("English", "中文");
  button.lang = pick("en", "zh-CN");
}

/** Texts that stand in the page itself. */
export function translate(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-zh]")) {
    element.textContent = pick(element.dataset["zh"] as string, element.dataset["en"] as string);
  }
}
