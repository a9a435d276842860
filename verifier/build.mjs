// Builds dist/: the command, the conformance program, and the page as one file without any request.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const catalogue = JSON.parse(readFileSync(new URL("../ledger_node/catalogue.json", import.meta.url), "utf8"));
const sensitive = catalogue.material_types.filter((each) => each.sensitive).map((each) => each.code);
const common = {
  bundle: true,
  format: "esm",
  legalComments: "none",
  define: { SENSITIVE_TYPE_CODES: JSON.stringify(sensitive) },
  logLevel: "warning",
};

await build({
  ...common,
  platform: "node",
  target: "node20",
  entryPoints: { cli: "src/cli.ts", conformance: "src/conformance/main.ts" },
  outdir: "dist",
});
const page = await build({
  ...common,
  platform: "browser",
  target: ["chrome111", "firefox119", "safari16.4"],
  minify: true,
  entryPoints: ["src/page/main.ts"],
  write: false,
  outdir: "dist",
});
const script = page.outputFiles[0].text.replaceAll("</script", "<\\/script");
const style = readFileSync("src/page/page.css", "utf8");
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
const template = readFileSync("src/page/page.html", "utf8");
for (const place of ["<style>%STYLE%</style>", '<script type="module">%SCRIPT%</script>']) {
  if (!template.includes(place)) throw new Error(`${place} stands otherwise: the policy's digests would not fit`);
}
const html = template
  .replace("%POLICY%", () => policy)
  .replace("%STYLE%", () => style)
  .replace("%SCRIPT%", () => script);
mkdirSync("dist", { recursive: true });
writeFileSync("dist/verify.html", html);
