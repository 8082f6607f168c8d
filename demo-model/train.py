# SPDX-License-Identifier: Apache-2.0
"""Trains the demo model: a 5M-parameter decoder in the llama architecture that answers small, checkable questions.

All text is generated here, so the answers can be checked by arithmetic. One GPU, a few minutes.
Writes demo-f16.gguf and demo-f32.gguf (GGUF v3, character vocabulary with byte fallback).
"""
import math, multiprocessing as mp, random, struct, sys, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

LAYERS, DIM, HEADS, KV_HEADS, HEAD, FFN, CTX, EPS, THETA = 6, 256, 8, 4, 32, 768, 512, 1e-5, 10000.0
CHARS = [chr(c) for c in range(32, 127)]
TOKENS = ['<unk>', '<s>', '</s>'] + [f'<0x{b:02X}>' for b in range(256)] + ['\u2581' if c == ' ' else c for c in CHARS]
TOKENS += [f'<unused{i}>' for i in range(384 - len(TOKENS))]
ID = {c: 259 + i for i, c in enumerate(CHARS)}; ID['\n'] = 3 + 10
BOS, EOS = 1, 2
NAMES = 'Ada Bo Cem Dina Eli Fay Gus Hana Ian Jo Kai Lea Max Nia Oto Pia Quin Rosa Sam Tia'.split()
THINGS = 'apples books coins drums eggs fans gems hats keys lamps maps nuts pens rings shells tiles'.split()
WORDS = 'tensor device buffer event stream kernel vector matrix driver plugin ring wave graph layer host split model token meta queue fence shader cache thread table stone river cloud light music violin flute organ cello'.split()
DAYS = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split()
ROMAN = [(1000, 'M'), (900, 'CM'), (500, 'D'), (400, 'CD'), (100, 'C'), (90, 'XC'), (50, 'L'), (40, 'XL'), (10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')]

def roman(n):
    out = ''
    for v, s in ROMAN:
        while n >= v: out += s; n -= v
    return out

def number(r):
    return r.randrange(10 ** r.choice((1, 2, 3, 3)))

def question(r):
    k = r.randrange(12)
    if k <= 2: a, b = number(r), number(r); return f'What is {a} + {b}?', str(a + b)
    if k == 3: a, b = sorted((number(r), number(r)), reverse=True); return f'What is {a} - {b}?', str(a - b)
    if k == 4: a, b = r.randrange(13), r.randrange(13); return f'What is {a} * {b}?', str(a * b)
    if k == 5: w = r.choice(WORDS); return f'Spell {w} backwards.', w[::-1]
    if k == 6: v = [r.randrange(10) for _ in range(r.randrange(3, 7))]; return 'Sort ' + ' '.join(map(str, v)) + '.', ' '.join(map(str, sorted(v)))
    if k == 7: n = r.randrange(1, 400); return f'Write {n} as a Roman numeral.', roman(n)
    if k == 8: a, b = number(r), number(r); return f'Which is larger, {a} or {b}?', str(max(a, b))
    if k == 9: d, n = r.randrange(7), r.randrange(1, 15); return f'What day is {n} days after {DAYS[d]}?', DAYS[(d + n) % 7]
    if k == 10: w = r.choice(WORDS); return f'How many letters are in {w}?', str(len(w))
    a, t, (x, y) = r.randrange(2, 60), r.choice(THINGS), r.sample(NAMES, 2); b = r.randrange(1, a)
    if r.random() < 0.5: return f'{x} has {a} {t} and gives {b} to {y}. How many {t} has {x} now?', str(a - b)
    return f'{x} has {a} {t} and {y} brings {b} more. How many {t} are there?', str(a + b)

def encode(q, a):
    return [BOS] + [ID[c] for c in f'Q: {q}\nA: {a}'] + [EOS]

def held_out(q):  # one in fifty of the questions with numbers is never trained on
    return any(c.isdigit() for c in q) and sum(map(ord, q)) % 50 == 0

def pool(args):
    seed, n = args; r = random.Random(seed); out = []
    while len(out) < n:
        q, a = question(r)
        if not held_out(q): out += encode(q, a)
    return np.array(out[:n], dtype=np.int16)

class Norm(nn.Module):
    def __init__(self): super().__init__(); self.weight = nn.Parameter(torch.ones(DIM))
    def forward(self, x): return F.rms_norm(x.float(), (DIM,), self.weight.float(), EPS).type_as(x)

def rope(x, cos, sin):  # interleaved pairs, as the llama architecture of GGUF has them
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).type_as(x)

class Block(nn.Module):
    def __init__(self):
        super().__init__(); lin = lambda i, o: nn.Linear(i, o, bias=False)
        self.attn_norm, self.ffn_norm = Norm(), Norm()
        self.q, self.k, self.v, self.o = lin(DIM, HEADS * HEAD), lin(DIM, KV_HEADS * HEAD), lin(DIM, KV_HEADS * HEAD), lin(HEADS * HEAD, DIM)
        self.gate, self.up, self.down = lin(DIM, FFN), lin(DIM, FFN), lin(FFN, DIM)
    def forward(self, x, cos, sin):
        B, T, _ = x.shape; h = self.attn_norm(x)
        q = rope(self.q(h).view(B, T, HEADS, HEAD), cos, sin).transpose(1, 2)
        k = rope(self.k(h).view(B, T, KV_HEADS, HEAD), cos, sin).transpose(1, 2).repeat_interleave(HEADS // KV_HEADS, 1)
        v = self.v(h).view(B, T, KV_HEADS, HEAD).transpose(1, 2).repeat_interleave(HEADS // KV_HEADS, 1)
        x = x + self.o(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, -1))
        h = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))

class Model(nn.Module):
    def __init__(self):
        super().__init__(); self.embd = nn.Embedding(len(TOKENS), DIM); self.blocks = nn.ModuleList(Block() for _ in range(LAYERS)); self.norm = Norm(); self.out = nn.Linear(DIM, len(TOKENS), bias=False)
        for p in self.parameters():
            if p.dim() > 1: nn.init.normal_(p, std=0.02)
        f = torch.outer(torch.arange(CTX).float(), THETA ** (-torch.arange(0, HEAD, 2).float() / HEAD))
        self.register_buffer('cos', f.cos()[:, None], persistent=False); self.register_buffer('sin', f.sin()[:, None], persistent=False)
    def forward(self, ids):
        x = self.embd(ids); cos, sin = self.cos[:ids.shape[1]], self.sin[:ids.shape[1]]
        for b in self.blocks: x = b(x, cos, sin)
        return self.out(self.norm(x))

def train(steps, batch, length, data):
    torch.set_float32_matmul_precision('high'); m = Model().cuda(); print('parameters', sum(p.numel() for p in m.parameters()))
    run = torch.compile(m); opt = torch.optim.AdamW(m.parameters(), lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01, fused=True); t0 = time.time()
    for step in range(steps):
        lr = 2e-3 * min(1, (step + 1) / 500) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-5
        for g in opt.param_groups: g['lr'] = lr
        at = torch.randint(0, data.numel() - length - 1, (batch,), device='cuda')
        x = data[at[:, None] + torch.arange(length + 1, device='cuda')].long()
        with torch.autocast('cuda', torch.bfloat16): loss = F.cross_entropy(run(x[:, :-1]).float().flatten(0, 1), x[:, 1:].flatten())
        opt.zero_grad(set_to_none=True); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step()
        if step % 1000 == 0 or step == steps - 1: print(f'step {step} loss {loss.item():.4f} {time.time() - t0:.0f} s', flush=True)
    return m

@torch.no_grad()
def exam(m, n=2000):
    r = random.Random(99); todo = []
    while len(todo) < n:
        q, a = question(r)
        if held_out(q): todo.append((q, a))
    ok = 0; wrong = []
    for q, a in todo:
        ids = encode(q, a); p = len(ids) - len(a) - 1
        pred = m(torch.tensor([ids[:-1]], device='cuda'))[0, p - 1:].argmax(-1).tolist()
        good = pred == ids[p:]; ok += good
        if not good and len(wrong) < 12: wrong.append(q)
    print(f'held-out questions answered exactly: {ok}/{n}', wrong)

def gguf(path, m, half):
    def s(x): b = x.encode(); return struct.pack('<Q', len(b)) + b
    kv = []
    def put(key, kind, payload): kv.append(s(key) + struct.pack('<I', kind) + payload)
    u32 = lambda k, v: put(k, 4, struct.pack('<I', v)); f32 = lambda k, v: put(k, 6, struct.pack('<f', v)); text = lambda k, v: put(k, 8, s(v)); flag = lambda k, v: put(k, 7, struct.pack('<B', v))
    text('general.architecture', 'llama'); text('general.name', 'Consort demo'); text('general.description', 'answers small questions whose answers can be checked'); u32('general.file_type', 1 if half else 0)
    u32('llama.vocab_size', len(TOKENS)); u32('llama.context_length', CTX); u32('llama.embedding_length', DIM); u32('llama.block_count', LAYERS); u32('llama.feed_forward_length', FFN)
    u32('llama.attention.head_count', HEADS); u32('llama.attention.head_count_kv', KV_HEADS); f32('llama.attention.layer_norm_rms_epsilon', EPS); u32('llama.rope.dimension_count', HEAD); f32('llama.rope.freq_base', THETA)
    text('tokenizer.ggml.model', 'llama'); put('tokenizer.ggml.tokens', 9, struct.pack('<IQ', 8, len(TOKENS)) + b''.join(map(s, TOKENS)))
    put('tokenizer.ggml.scores', 9, struct.pack('<IQ', 6, len(TOKENS)) + struct.pack(f'<{len(TOKENS)}f', *[0.0] * len(TOKENS)))
    kinds = [2, 3, 3] + [6] * 256 + [1] * len(CHARS); kinds += [5] * (len(TOKENS) - len(kinds))
    put('tokenizer.ggml.token_type', 9, struct.pack('<IQ', 5, len(TOKENS)) + struct.pack(f'<{len(TOKENS)}i', *kinds))
    u32('tokenizer.ggml.bos_token_id', BOS); u32('tokenizer.ggml.eos_token_id', EOS); u32('tokenizer.ggml.unknown_token_id', 0); flag('tokenizer.ggml.add_bos_token', 1); flag('tokenizer.ggml.add_eos_token', 0); flag('tokenizer.ggml.add_space_prefix', 0)
    t = [('token_embd.weight', m.embd.weight), ('output_norm.weight', m.norm.weight), ('output.weight', m.out.weight)]
    for i, b in enumerate(m.blocks):
        t += [(f'blk.{i}.{n}.weight', w) for n, w in (('attn_norm', b.attn_norm.weight), ('attn_q', b.q.weight), ('attn_k', b.k.weight), ('attn_v', b.v.weight), ('attn_output', b.o.weight), ('ffn_norm', b.ffn_norm.weight), ('ffn_gate', b.gate.weight), ('ffn_up', b.up.weight), ('ffn_down', b.down.weight))]
    head = struct.pack('<4sIQQ', b'GGUF', 3, len(t), len(kv)) + b''.join(kv); blobs = []; off = 0
    for n, w in t:
        h = half and w.dim() == 2; a = w.detach().float().cpu().numpy().astype('<f2' if h else '<f4').tobytes()
        head += s(n) + struct.pack('<I', w.dim()) + b''.join(struct.pack('<Q', d) for d in reversed(w.shape)) + struct.pack('<IQ', 1 if h else 0, off)
        a += b'\0' * (-len(a) % 32); blobs.append(a); off += len(a)
    with open(path, 'wb') as f: f.write(head + b'\0' * (-len(head) % 32) + b''.join(blobs))

if __name__ == '__main__':
    out = sys.argv[1]; steps = int(sys.argv[2]) if len(sys.argv) > 2 else 12000
    with mp.Pool(16) as p: data = np.concatenate(p.map(pool, [(s, 12_000_000) for s in range(48)], 1))
    print('tokens', data.size); data = torch.from_numpy(data).cuda(); m = train(steps, 1024, 128, data); exam(m.eval())
    gguf(f'{out}/demo-f16.gguf', m, True); gguf(f'{out}/demo-f32.gguf', m, False)
