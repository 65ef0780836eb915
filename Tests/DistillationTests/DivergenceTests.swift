import Foundation
import Randomness
import TestSupport
import Testing
import Torch

@testable import Distillation

/// The family of divergences: a worked vector, and what holds for every pair of distributions.
@Suite(.takesTurns) struct DivergenceTests {
    // MARK: A worked vector

    struct Row: Sendable {
        var order: Double
        var value: Double
        var gradient: [Double]
        var swapped: Double
    }

    /// For peer (2, .5, −1, 0) and own (.3, 1.2, −.4, .1), computed apart from this code to 8 digits.
    static let rows = [
        Row(
            order: 0.25, value: 0.14705844,
            gradient: [-0.10789815, 0.08676385, 0.01532803, 0.00580626], swapped: 0.15026101),
        Row(
            order: 0.5, value: 0.30089271,
            gradient: [-0.23881664, 0.18304133, 0.03351802, 0.02225729], swapped: 0.30089271),
        Row(
            order: 0.999, value: 0.58595925,
            gradient: [-0.50022148, 0.35638425, 0.06858598, 0.07525125], swapped: 0.56262241),
        Row(
            order: 1, value: 0.58646360,
            gradient: [-0.50067229, 0.35666414, 0.06864489, 0.07536327], swapped: 0.56306745),
        Row(
            order: 1.001, value: 0.58696761,
            gradient: [-0.50112268, 0.35694370, 0.06870374, 0.07547525], swapped: 0.56351214),
        Row(
            order: 1.5, value: 0.79486093,
            gradient: [-0.66931228, 0.45605268, 0.09014586, 0.12311374], swapped: 0.74300408),
        Row(
            order: 2, value: 0.92518380,
            gradient: [-0.74513128, 0.49578675, 0.09923391, 0.15011062], swapped: 0.85367373),
        Row(
            order: 5, value: 1.13547036,
            gradient: [-0.79045120, 0.51509374, 0.10399365, 0.17136381], swapped: 1.05142873),
    ]

    @Test(arguments: rows) func workedVector(_ row: Row) throws {
        try withNoLeaks {
            for (dtype, tolerance) in [(DType.float64, 1e-7), (.float32, 1e-5)] {
                let peer = Logits(Tensor([2, 0.5, -1, 0] as [Double], [1, 4]).to(dtype))
                let own = Logits(Tensor([0.3, 1.2, -0.4, 0.1] as [Double], [1, 4]).to(dtype))
                let divergence = Divergence.renyi(order: row.order)
                let loss = divergence(peer: peer, own: own)
                #expect(relativeError(loss.values.doubles(), [row.value]) < tolerance)
                #expect(relativeError(loss.gradient.doubles(), row.gradient) < tolerance)
                let swapped = divergence(peer: own, own: peer)
                #expect(relativeError(swapped.values.doubles(), [row.swapped]) < tolerance)
            }
        }
    }

    // MARK: 1,000 seeded pairs

    /// From nearly uniform to nearly certain distributions over 2 to 12 classes, 100 pairs each.
    private func forPairs(_ body: (_ p: Tensor, _ q: Tensor) throws -> Void) throws {
        try withNoLeaks {
            var draw = Draw(seed: 11, .tests)
            for block in 0..<10 {
                let classes = 2 + block % 6 * 2
                func logits() -> Tensor {
                    let scale = pow(10, 3 * draw.uniform() - 1.5)
                    return Tensor(
                        (0..<100 * classes).map { _ in scale * draw.normal() }, [100, classes])
                }
                try body(logits(), logits())
            }
        }
    }

    private static let members: [Divergence] =
        [.kl, .reverseKL]
        + [0.01, 0.3, 0.5, 0.9].map { .jensenShannon(weight: $0) }
        + [
            0.01, 0.25, 0.5, 0.89, 0.91, 0.999, 1, 1 + 1e-9, 1.001, 1.09, 1.11, 1.5, 2, 5, 100,
            .infinity,
        ]
        .map { .renyi(order: $0) }

    /// Positive for different distributions; 0 for equal ones, with gradient 0.
    @Test(arguments: members) func positiveAndZeroOnlyForEqual(_ divergence: Divergence) throws {
        try forPairs { p, q in
            let loss = divergence(peer: Logits(p), own: Logits(q))
            #expect(loss.values.min().item > 0)
            let same = divergence(peer: Logits(q), own: Logits(q + 3))
            #expect(same.values.abs().max().item < 1e-11)
            #expect(same.gradient.abs().max().item < 1e-6 || divergence == .renyi(order: .infinity))
            let exactly = divergence(peer: Logits(q), own: Logits(q))
            #expect(exactly.gradient.abs().max().item < 1e-11)
            let single = divergence(peer: Logits(p.to(.float32)), own: Logits(q.to(.float32)))
            #expect(single.values.min().item >= 0)
        }
    }

    /// A constant added to all logits changes nothing, so gradients sum to 0.
    @Test(arguments: members) func gradientsSumToZero(_ divergence: Divergence) throws {
        try forPairs { p, q in
            let loss = divergence(peer: Logits(p), own: Logits(q))
            #expect(loss.gradient.sum(1).abs().max().item < 1e-10)
        }
    }

    @Test func renyiGrowsWithItsOrder() throws {
        let orders = [
            0, 1e-6, 0.1, 0.25, 0.5, 0.75, 0.89, 0.91, 0.999, 1 - 1e-9, 1, 1 + 1e-9, 1.001, 1.09,
            1.11, 1.25, 1.5, 2, 5, 50, 1e4, 1e12, 1e31, .infinity,
        ]
        try forPairs { p, q in
            let values = orders.map {
                Divergence.renyi(order: $0)(peer: Logits(p), own: Logits(q)).values
            }
            for ((low, high), order) in zip(zip(values, values.dropFirst()), orders) {
                // Rounding: relative to the size of the values.
                let slack = (high.abs() + 1) * 1e-13
                #expect((high + slack - low).min().item >= 0, "above order \(order)")
            }
            // KL is order 1, approached from both sides.
            let kl = Divergence.kl(peer: Logits(p), own: Logits(q))
            for order in [1 - 1e-9, 1, 1 + 1e-9] {
                let near = Divergence.renyi(order: order)(peer: Logits(p), own: Logits(q))
                try expectClose(near.values, kl.values, 1e-6)
                try expectClose(near.gradient, kl.gradient, 1e-6)
            }
        }
    }

    /// D = KL + (α − 1)/2 Var_p(d) + O((α − 1)²): also the slope at 1 is right, and in float32.
    @Test(arguments: [DType.float64, .float32]) func expansionNearOne(_ dtype: DType) throws {
        try withNoLeaks {
            let peer = Tensor([2, 0.5, -1, 0] as [Double], [1, 4]).to(dtype)
            let own = Tensor([0.3, 1.2, -0.4, 0.1] as [Double], [1, 4]).to(dtype)
            let p = peer.softmax()
            let d = peer.logSoftmax() - own.logSoftmax()
            let kl = (p * d).sum().item
            let variance = (p * d.squared()).sum().item - kl * kl
            for change in [-1e-3, -1e-5, -1e-7, -1e-12, 1e-12, 1e-7, 1e-5, 1e-3] {
                let value = Divergence.renyi(order: 1 + change)(
                    peer: Logits(peer), own: Logits(own)
                ).values.item
                let rounding = dtype == .float64 ? 1e-15 : 3e-7
                #expect(abs(value - kl - change / 2 * variance) < change * change + rounding)
            }
        }
    }

    /// D_{1−a}(p‖q) = (1−a)/a D_a(q‖p), and ½ is symmetric.
    @Test(arguments: [0.05, 0.3, 0.5, 0.7, 0.89, 0.95, 0.999]) func skewSymmetry(_ a: Double) throws
    {
        try forPairs { p, q in
            let left = Divergence.renyi(order: 1 - a)(peer: Logits(p), own: Logits(q)).values
            let right = Divergence.renyi(order: a)(peer: Logits(q), own: Logits(p)).values
            try expectClose(left, right * ((1 - a) / a), 1e-11)
        }
    }

    @Test func renyiGradientIsBounded() throws {
        try forPairs { p, q in
            for order in LossTable.orders {
                let loss = Divergence.renyi(order: order)(peer: Logits(p), own: Logits(q))
                #expect(loss.gradient.norm(1).max().item <= 2.0.squareRoot() + 1e-14)
                #expect(loss.gradient.abs().sum(1).max().item <= 2 + 1e-14)
            }
        }
    }

    /// JS_π(p, q) = JS_{1−π}(q, p) ≤ H(π), and its ends are the two KLs.
    @Test(arguments: [0.01, 0.3, 0.5, 0.9]) func jensenShannon(_ weight: Double) throws {
        try forPairs { p, q in
            let (p, q) = (Logits(p), Logits(q))
            let values = Divergence.jensenShannon(weight: weight)(peer: p, own: q).values
            let other = Divergence.jensenShannon(weight: 1 - weight)(peer: q, own: p).values
            try expectClose(values, other, 1e-12)
            let entropy = -weight * log(weight) - (1 - weight) * log1p(-weight)
            #expect(values.max().item <= entropy + 1e-12)
        }
        try withNoLeaks {
            let p = Logits(Tensor([2, 0.5, -1, 0] as [Double], [1, 4]))
            let q = Logits(Tensor([0.3, 1.2, -0.4, 0.1] as [Double], [1, 4]))
            let low = Divergence.jensenShannon(weight: 1e-7)(peer: p, own: q) * 1e7
            let kl = Divergence.kl(peer: p, own: q)
            try expectClose(low.values, kl.values, 1e-6)
            try expectClose(low.gradient, kl.gradient, 1e-6)
            let high = Divergence.jensenShannon(weight: 1 - 1e-7)(peer: p, own: q) * 1e7
            let reverse = Divergence.reverseKL(peer: p, own: q)
            try expectClose(high.values, reverse.values, 1e-6)
            try expectClose(high.gradient, reverse.gradient, 1e-6)
        }
    }

    // MARK: Limits

    @Test func endsOfTheFamily() throws {
        try withNoLeaks {
            let p = Tensor([2, 0.5, -1, 0] as [Double], [1, 4])
            let q = Tensor([0.3, 1.2, -0.4, 0.1] as [Double], [1, 4])
            let d = (p.logSoftmax() - q.logSoftmax()).doubles()
            let end = Divergence.renyi(order: .infinity)(peer: Logits(p), own: Logits(q))
            #expect(end.values.doubles() == [d.max()!])
            // The class that p favours most: r is 1 there.
            let own = q.softmax().doubles()
            try expectClose(end.gradient.doubles(), [own[0] - 1, own[1], own[2], own[3]], 1e-15)
            let far = Divergence.renyi(order: 1e5)(peer: Logits(p), own: Logits(q))
            try expectClose(far.gradient, end.gradient, 1e-9)
            let none = Divergence.renyi(order: 0)(peer: Logits(p), own: Logits(q))
            #expect(none.values.doubles() == [0] && none.gradient.doubles() == [0, 0, 0, 0])
            // D_2 = log Σ p²/q.
            let two = Divergence.renyi(order: 2)(peer: Logits(p), own: Logits(q)).values.item
            let (a, b) = (p.softmax().doubles(), own)
            #expect(abs(two - log(zip(a, b).map { $0 * $0 / $1 }.reduce(0, +))) < 1e-14)
        }
    }

    /// Orders at which powers overflow and differences of logits at which exponentials do.
    @Test(arguments: [1e-300, 1e-9, 0.9, 1 - 1e-16, 1 + 1e-15, 1.1, 1e3, 1e9, 1e29, 1e31, 1e300])
    func everyOrderIsFinite(_ order: Double) throws {
        try withNoLeaks {
            for dtype in [DType.float32, .float64] {
                let p = Tensor([1e4, -1e4, 0, -9e3, 5e3, 5e3] as [Double], [2, 3]).to(dtype)
                let q = Tensor([-1e4, 1e4, 0, 9e3, -9e3, 1] as [Double], [2, 3]).to(dtype)
                let loss = Divergence.renyi(order: order)(peer: Logits(p), own: Logits(q))
                #expect(loss.values.isFinite().all().item == 1, "\(loss.values.doubles())")
                #expect(loss.gradient.isFinite().all().item == 1)
                // Nearly disjoint: D ≈ min(α/(1−α), …) · 2e4 below 1, and at least that above.
                if order > 1 { #expect(loss.values.min().item > 9e3) }
            }
        }
    }

    /// log Σ next to 1 where single terms are far beyond the range of float32 exponentials.
    @Test func nearOneWithHugeDifferences() throws {
        try withNoLeaks {
            let p = Tensor([0, -60, -9000] as [Double], [1, 3])
            let q = Tensor([0, -5000, -1] as [Double], [1, 3])
            for order in [0.91, 0.99, 1.01, 1.09] {
                let exact = Divergence.renyi(order: order)(peer: Logits(p), own: Logits(q))
                let single = Divergence.renyi(order: order)(
                    peer: Logits(p.to(.float32)), own: Logits(q.to(.float32)))
                #expect(relativeError(single.values.doubles(), exact.values.doubles()) < 1e-5)
                // log Σ exp(α log p + (1−α) log q) / (α − 1) in plain float64 arithmetic.
                let (lp, lq) = (p.logSoftmax().doubles(), q.logSoftmax().doubles())
                let u = zip(lp, lq).map { order * $0 + (1 - order) * $1 }
                let top = u.max()!
                let plain = (top + log(u.map { exp($0 - top) }.reduce(0, +))) / (order - 1)
                #expect(relativeError(exact.values.doubles(), [plain]) < 1e-11)
            }
        }
    }
}
