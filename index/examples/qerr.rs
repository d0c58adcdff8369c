//! dev
use vdb_index::{Control, quant::*};
use vdb_sys::{aligned::AlignedBuf, element::*, kernel::*};
fn main() {
    let b = std::fs::read("/work/shared/data/wordnet-minilm-384.f16.npy").unwrap();
    let b = &b[128..];
    let dim = 384;
    let (mut base, mut v) = (Vec::new(), vec![0f32; dim]);
    for r in b.chunks(dim * 2).take(20000) {
        decode_to_f32(r, Element::F16, &mut v);
        let n = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.iter_mut().for_each(|x| *x /= n);
        encode_f32(&v, Element::F32, &mut base);
    }
    let base = AlignedBuf::from_slice(&base);
    let m = MatrixView::new(Element::F32, dim, &base).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for metric in [Metric::Dot, Metric::L2] {
        let q = Quantizer::train(&m, metric);
        println!("mean norm {}", q.mean().iter().map(|x| x * x).sum::<f32>().sqrt());
        let codes = q.encode(&m, &pool, &Control::none()).unwrap();
        let cv = codes.view();
        let k = Kernel::new(metric, Element::F32);
        let ck = codes::CodeKernel::new();
        println!("{:?}", &cv.row(5)[..20]);
        let row = |r: u32| { let mut v = vec![0f32; dim]; decode_to_f32(m.row(r).unwrap(), Element::F32, &mut v); v };
        let (a, b) = (row(0), row(7));
        println!("true dot {} kernel {}", a.iter().zip(&b).map(|(x, y)| x * y).sum::<f32>(), k.score(m.row(0).unwrap(), m.row(7).unwrap()));
        let (ca, cb) = (cv.row(0), cv.row(7));
        let mut idot = 0i32; for i in 0..384 { idot += (ca[i] as i32 - 128) * (cb[i] as i32 - 128); }
        let qs: Vec<i8> = ca.iter().map(|&c| (c ^ 128) as i8).collect();
        println!("idot {idot} kernel {}", ck.dot(cb, &qs));
        let sc = cv.factors()[0][0]; let mx = a.iter().zip(q.mean()).map(|(x, m)| (x - m).abs()).fold(0f32, f32::max);
        println!("scale {sc} max/127 {}", mx / 127.0);
        let e: f32 = a.iter().zip(q.mean()).zip(ca).map(|((x, m), &c)| { let d = x - m - sc * (c as f32 - 128.0); d * d }).sum();
        println!("rms code err {}", (e / 384.0).sqrt());
        let (mut se, mut n, mut var) = (0f64, 0, 0f64);
        for qi in (0..2000).step_by(100) {
            // stored row as query
            let qs: Vec<i8> = cv.row(qi).iter().map(|&c| (c ^ 128) as i8).collect();
            let mut ds = Vec::new();
            for r in 0..20000u32 {
                let e = cv.factors()[qi as usize][0] * cv.factors()[r as usize][0] * ck.dot(cv.row(r), &qs) as f32 + cv.factors()[r as usize][1];
                let s = k.score(m.row(qi).unwrap(), m.row(r).unwrap());
                let s = if metric == Metric::L2 { s / 2.0 } else { s };
                ds.push(f64::from(e - s));
                var += f64::from(s * s);
            }
            let mean = ds.iter().sum::<f64>() / 20000.0;
            se += ds.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
            n += 20000;
        }
        println!("{metric:?} rms err {} rms score {}", (se / n as f64).sqrt(), (var / n as f64).sqrt());
    }
}
