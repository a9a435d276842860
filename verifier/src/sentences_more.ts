/** What is said besides verdicts: files that are none, and what a line rests on. */
import { type Sentence, say } from "./sentences.ts";

/** Refusals of files: what a command or a page says when there is no verdict. */
export const FILE_SENTENCES: { readonly [code: string]: Sentence } = {
  receipt_not_canonical: say("这不是凭证文件，或文件被改动过。", "This is no receipt, or the file was changed."),
  trust_not_readable: say("这不是信任文件，或文件被改动过。", "This is no trust file, or the file was changed."),
  file_unreadable: say("文件读不出来。", "The file cannot be read."),
  file_empty: say("文件是空的。", "The file is empty."),
  file_too_large: say("文件太大。", "The file is too large."),
  usage: say("命令写法不对，请看 --help。", "The command is not right; see --help."),
};

export const RESTS_ON: { readonly [name: string]: Sentence } = {
  trusted_keys: say("信任文件里的成员密钥", "member keys of the trust file"),
  seals: say("验证者的区块印章", "block seals of the validators"),
  chain: say("自己读到的链", "your own reading of the chain"),
  trust_file: say("信任文件里的链上事实", "facts of the chain in the trust file"),
  issuing_city: say("提供城市的说法", "the issuing city's word"),
  recording_city: say("登记城市的说法", "the recording city's word"),
  relying_city: say("采信城市的说法", "the relying city's word"),
};
