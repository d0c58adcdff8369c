//! dev: build and measure on the WordNet set
use std::time::Instant;
use vdb_index::{Control, hnsw::*};
use vdb_sys::{aligned::AlignedBuf, element::*, kernel::*};
fn npy(path: &str) -> Vec<u8> {
    let b = std::fs::read(path).unwrap();
    let h = u16::from_le_bytes([b[8], b[9]]) as usize + 10;
    b[h..].to_vec()
}
fn arg<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}
fn main() {
    let data = npy("/work/shared/data/wordnet-minilm-384.f16.npy");
    let dim = 384;
    let split: Vec<i64> = npy("/work/shared/peers/split.npy").chunks(bytesz()).map(geti).collect();
    let n = data.len() / 2 / dim;
    let mut isq = vec![false; n];
    for &s in &split { isq[s as usize] = true; }
    let lim: usize = arg("N", usize::MAX);
    let (mut base, mut queries) = (Vec::new(), Vec::new());
    let mut v = vec![0f32; dim];
    let mut nb = 0;
    for i in 0..n {
        decode_to_f32(&data[i * dim * 2..(i + 1) * dim * 2], Element::F16, &mut v);
        let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        if isq[i] { encode_f32(&v, Element::F32, &mut queries) } else if nb < lim { nb += 1; encode_f32(&v, Element::F32, &mut base) }
    }
    let base = AlignedBuf::from_slice(&base);
    let m = MatrixView::new(Element::F32, dim, &base).unwrap();
    let metric = match arg("METRIC", "dot".to_string()).as_str() { "dot" => Metric::Dot, "l2" => Metric::L2, _ => Metric::L1 };
    let kernel = Kernel::new(metric, Element::F32);
    let qs: Vec<&[u8]> = queries.chunks(dim * 4).collect();
    let threads = arg("THREADS", 2);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    // ground truth, cached
    let gtp = format!("/tmp/gt-{nb}-{metric:?}.bin");
    let gt: Vec<Vec<u32>> = if let Ok(b) = std::fs::read(&gtp) {
        b.chunks(40).map(|c| c.chunks(4).map(|x| u32::from_le_bytes(x.try_into().unwrap())).collect()).collect()
    } else {
        use rayon::prelude::*;
        let gt: Vec<Vec<u32>> = pool.install(|| qs.par_iter().map(|q| {
            let mut t = vdb_index::TopK::new(10);
            vdb_index::flat::scan(&m, &kernel, q, 0..u32::MAX, None, &mut t);
            t.into_sorted().into_iter().map(|x| x.1).collect()
        }).collect());
        std::fs::write(&gtp, gt.iter().flatten().flat_map(|r| r.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
        gt
    };
    let d = HnswParams::default();
    let p = HnswParams { m: arg("M", d.m), ef_construct: arg("EFC", d.ef_construct), ef_refine: arg("EFR", d.ef_refine), alpha: arg("ALPHA", d.alpha), seed: 0 };
    let disk = vdb_vfs::OsDisk::open("/tmp/gdir", true).unwrap();
    let name = format!("g-{metric:?}-{nb}-{}-{}-{}-{}", p.m, p.ef_construct, p.ef_refine, p.alpha);
    if !std::path::Path::new("/tmp/gdir").join(&name).exists() {
        let t = Instant::now();
        let cpu0 = cpu();
        let g = build(&m, metric, &p, &pool, &Control::none()).unwrap();
        println!("{p:?} build {:.2} s, cpu {:.2} s", t.elapsed().as_secs_f64(), cpu() - cpu0);
        let rep = g.view().check(); let deg = rep.links as f64 / rep.rows as f64; println!("{rep:?} deg {deg}");
        g.write(&disk, &name).unwrap();
    }
    let mem = vdb_vfs::MemDisk::new();
    let g = if std::env::var("MEM").is_ok() {
        use vdb_vfs::Disk;
        let f = mem.create("g").unwrap();
        f.write_all_at(&std::fs::read(std::path::Path::new("/tmp/gdir").join(&name)).unwrap(), 0).unwrap();
        GraphFile::open(&mem, "g", m.len(), dim, &kernel).unwrap()
    } else { GraphFile::open(&disk, &name, m.len(), dim, &kernel).unwrap() };
    let mut scratch = Scratch::default();
    let passes: usize = arg("PASSES", 4);
    let os: f32 = arg("OS", 1.6);
    let mut curve = Vec::new();
    for ef in arg("EFS", "16,24,32,48,64,96,128,200,300".to_string()).split(',').map(|x| x.parse::<usize>().unwrap()) {
        let sp = SearchParams { k: 10, ef, oversample: os };
        let (mut hits, mut scored) = (0, 0u64);
        let mut best = vec![f64::MAX; qs.len()];
        for pass in 0..passes {
            for (i, q) in qs.iter().enumerate() {
                let t = Instant::now();
                let f = search(g.view(), &m, &kernel, q, &sp, None, &mut scratch);
                best[i] = best[i].min(t.elapsed().as_secs_f64());
                if pass == 0 {
                    hits += f.hits.iter().filter(|h| gt[i].contains(&h.1)).count();
                    scored += f.scored;
                }
            }
        }
        let recall = hits as f64 / (qs.len() * 10) as f64;
        let qps = qs.len() as f64 / best.iter().sum::<f64>();
        let sc = scored as f64 / qs.len() as f64;
        curve.push((recall, qps, sc));
        if std::env::var("FILTERS").is_err() { println!("ef {ef:4} recall {recall:.4} q/s {qps:8.0} scored {sc:.0}"); }
    }
    if std::env::var("FILTERS").is_ok() { filters(&g, &m, &kernel, &qs, &mut scratch); return; }
    for r in [0.95, 0.98, 0.99] {
        if let Some(w) = curve.windows(2).find(|w| w[0].0 <= r && w[1].0 >= r) {
            let f = (r - w[0].0) / (w[1].0 - w[0].0);
            println!("@{r}: {:.0} q/s, {:.0} scored", w[0].1 + f * (w[1].1 - w[0].1), w[0].2 + f * (w[1].2 - w[0].2));
        }
    }
}
fn bytesz() -> usize { 4 }
fn geti(c: &[u8]) -> i64 { i64::from(i32::from_le_bytes(c.try_into().unwrap())) }
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.0
}

fn filters(g: &GraphFile, m: &MatrixView, kernel: &Kernel, qs: &[&[u8]], scratch: &mut Scratch) {
    use vdb_index::*;
    let attr = std::fs::read("/tmp/attr.bin").unwrap();
    let n = m.len();
    let mix = |x: u32| (u64::from(x).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 1000;
    let mut fs: Vec<(String, RowBits)> = Vec::new();
    for p in [5u64, 10, 20, 50, 100, 250, 500, 700, 900] {
        fs.push((format!("random {}", p as f64 / 1000.0), RowBits::from_rows(n, (0..n).filter(|&r| mix(r) < p))));
    }
    for (name, c, v) in [("noun", 0, 0), ("verb", 0, 1), ("adj", 0, 2), ("adv", 0, 3), ("lex18", 1, 18), ("lex5", 1, 5), ("lex40", 1, 40)] {
        fs.push((name.into(), RowBits::from_rows(n, (0..n).filter(|&r| attr[2 * r as usize + c] == v))));
    }
    let qs = &qs[..300];
    for (name, f) in &fs {
        let f: &dyn RowFilter = f;
        let mut ex = vec![f64::MAX; qs.len()];
        let gt: Vec<Vec<(f32, u32)>> = qs.iter().enumerate().map(|(i, q)| { let t0 = Instant::now(); let mut t = TopK::new(10); flat::scan(m, kernel, q, 0..n, Some(f), &mut t); ex[i] = t0.elapsed().as_secs_f64(); t.into_sorted() }).collect();
        let mut out = format!("{name:12} {:6.2} % exact {:6.0} q/s |", f.estimate().unwrap() as f64 * 100.0 / f64::from(n), qs.len() as f64 / ex.iter().sum::<f64>());
        for ef in [16, 32, 64, 128] {
            let mut best = vec![f64::MAX; qs.len()];
            let (mut hit, mut sc) = (0usize, 0);
            for pass in 0..3 {
                for (i, q) in qs.iter().enumerate() {
                    let t = Instant::now();
                    let r = search(g.view(), m, kernel, q, &SearchParams { k: 10, ef, oversample: 1.6 }, Some(f), scratch);
                    best[i] = best[i].min(t.elapsed().as_secs_f64());
                    if pass == 0 { hit += r.hits.iter().filter(|h| gt[i].iter().any(|g| g.1 == h.1)).count(); sc += r.scored; }
                }
            }
            let want: usize = gt.iter().map(Vec::len).sum();
            out += &format!(" ef{ef} {:.3} {:6.0} ({})|", hit as f64 / want as f64, qs.len() as f64 / best.iter().sum::<f64>(), sc / qs.len() as u64);
        }
        println!("{out}");
    }
}
