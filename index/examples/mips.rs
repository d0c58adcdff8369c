//! dev
use vdb_index::{Control, RowBits, hnsw::*};
use vdb_sys::{aligned::AlignedBuf, element::*, kernel::*};
struct R(u64);
impl R {
    fn u(&mut self) -> f32 { self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15); let mut x = self.0; x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9); x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb); x ^= x >> 31; (x >> 40) as f32 / 16777216.0 }
    fn n(&mut self) -> f32 { (0..12).map(|_| self.u()).sum::<f32>() - 6.0 }
}
fn main() {
    let n = 4000u32; let dim = 24;
    for (lo, hi, clusters) in [(0.1, 5.0, 0), (0.5, 1.5, 0), (0.8, 1.2, 0), (0.1, 5.0, 40), (0.5, 1.5, 40)] {
        let mut r = R(5);
        let cs: Vec<Vec<f32>> = (0..clusters).map(|_| (0..dim).map(|_| r.n()).collect()).collect();
        let mut draw = |l: f32| { let c = if clusters > 0 { Some(&cs[(r.u() * clusters as f32) as usize]) } else { None }; (0..dim).map(|i| l * (c.map_or(0.0, |c| c[i]) + r.n() * if clusters > 0 { 0.6 } else { 1.0 })).collect::<Vec<f32>>() };
        let mut b = Vec::new();
        for i in 0..n { encode_f32(&draw(lo + (hi - lo) * (i % 50) as f32 / 49.0), Element::F32, &mut b); }
        let qs: Vec<Vec<u8>> = (0..100).map(|_| { let mut q = Vec::new(); encode_f32(&draw(1.0), Element::F32, &mut q); q }).collect();
        let b = AlignedBuf::from_slice(&b);
        let m = MatrixView::new(Element::F32, dim, &b).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let k = Kernel::new(Metric::Dot, Element::F32);
        let g = build(&m, Metric::Dot, &HnswParams::default(), &pool, &Control::none()).unwrap();
        let short = RowBits::from_rows(n, (0..n).filter(|i| i % 50 < 10));
        let mut s = Scratch::default();
        for ef in [64, 200, 800] {
            let mut out = String::new();
            for f in [None, Some(&short as &dyn vdb_index::RowFilter)] {
                let (mut hit, mut sc) = (0, 0);
                for q in &qs {
                    let mut t = vdb_index::TopK::new(10);
                    vdb_index::flat::scan(&m, &k, q, 0..n, f, &mut t);
                    let t = t.into_sorted();
                    let r = search(g.view(), &m, &k, q, &SearchParams { k: 10, ef, oversample: 2.0 }, f, &mut s);
                    hit += r.hits.iter().filter(|h| h.0 >= t[9].0).count(); sc += r.scored;
                }
                out += &format!(" recall {:.3} scored {}", hit as f64 / 1000.0, sc / 100);
            }
            println!("{lo}..{hi} clusters {clusters} ef {ef}:{out}");
        }
    }
}
