import Diagnostics
import Foundation
import Randomness

/// Data that is made, not read: tasks for controlled experiments, the same on every machine for the
/// same numbers and seed. Labels are true; classes come in turn (sample i is of class
/// i mod `classes`), so that they differ by one sample at most.
public enum Synthetic {
    /// Interleaved arms in the plane, one per class.
    ///
    ///     θ = (c + i/n) · turn + N(0, spread²),   r = radius · i/n,   i = 1 … n of arm c
    ///     x = r sin θ,  y = r cos θ
    ///
    /// The defaults are those of the spiral task of adaptive loss mixing (arXiv 2202.03250) as our
    /// source lists them: 4 arms of 1,500 points, r up to 4, a step of 4.74 rad, N(0, .2²) on θ.
    /// That an arm both begins at and spans a multiple of the step is our reading of that list. r
    /// starts above 0, where all arms would meet in one point of several labels.
    public struct Spiral: Hashable, Sendable {
        /// Arms, 2 to 1,000.
        public var classes = 4
        /// Of all arms together, at least 2 per arm.
        public var samples = 6_000
        public var radius = 4.0
        /// In radians.
        public var turn = 4.74
        /// Standard deviation of the angle, in radians.
        public var spread = 0.2
        public var seed: UInt64 = 0

        public init() {}

        /// Throws for sizes and shapes that make no task.
        public func check() throws(Problem) {
            try Synthetic.check(classes: classes, samples: samples, features: 2)
            try Synthetic.check("radius", radius, from: 0)
            try Synthetic.check("turn", turn, from: 0)
            try Synthetic.check("spread", spread, from: 0, open: false)
        }
    }

    /// Normal clouds in many dimensions, one per class, around vertices of a hypercube.
    ///
    ///     x = s_c · separation + A_c g,   g ~ N(0, I),   A_c entries U[−1, 1),   s_c ∈ {−1, 1}^D
    ///
    /// After the description of `make_classification` in scikit-learn (Guyon 2003 for the MADELON
    /// task), with one cluster per class and informative features alone, as the many-class task of
    /// adaptive loss mixing uses it: 10,000 samples, 14 features, 20 classes, separation 1. It is
    /// written after that description and not bit-equal to it; no label is flipped.
    public struct GaussianClasses: Hashable, Sendable {
        /// 2 to 1,000, and at most the 2^features vertices.
        public var classes = 20
        /// At least 2 per class.
        public var samples = 10_000
        /// D, 1 to 256.
        public var features = 14
        /// Half the side of the hypercube, above 0.
        public var separation = 1.0
        public var seed: UInt64 = 0

        public init() {}

        /// Throws for sizes and shapes that make no task.
        public func check() throws(Problem) {
            guard (1...256).contains(features) else {
                throw .syntheticRange("features", found: "\(features)", expected: "1 to 256")
            }
            try Synthetic.check(classes: classes, samples: samples, features: features)
            guard features >= 10 || classes <= 1 << features else {
                throw .syntheticRange(
                    "classes", found: "\(classes)",
                    expected: "at most \(1 << features), the vertices of \(features) features")
            }
            try Synthetic.check("separation", separation, from: 0)
        }
    }

    /// More than that is no toy any more.
    static let largestCount = 1_000_000
    static let largestSize = 20_000_000

    static func check(classes: Int, samples: Int, features: Int) throws(Problem) {
        guard (2...1_000).contains(classes) else {
            throw .syntheticRange("classes", found: "\(classes)", expected: "2 to 1000")
        }
        let most = min(largestCount, largestSize / max(1, features))
        guard (2 * classes...most).contains(samples) else {
            throw .syntheticRange(
                "samples", found: "\(samples)", expected: "\(2 * classes) to \(most)")
        }
    }

    /// A number of everyday size: above `low` (or at it), up to a million.
    static func check(
        _ key: String, _ value: Double, from low: Double, open: Bool = true
    ) throws(Problem) {
        guard value <= 1e6, open ? value > low : value >= low else {
            throw .syntheticRange(
                key, found: "\(value)",
                expected: open ? "above \(Int(low)), at most 1000000" : "\(Int(low)) to 1000000")
        }
    }
}

extension Dataset {
    /// Throws for sizes and shapes that make no task.
    public static func spiral(_ options: Synthetic.Spiral) throws(Problem) -> Dataset {
        try options.check()
        var cells: [Float] = []
        cells.reserveCapacity(2 * options.samples)
        for sample in 0..<options.samples {
            let (place, arm) = sample.quotientAndRemainder(dividingBy: options.classes)
            let inArm = (options.samples - arm - 1) / options.classes + 1
            let way = Double(place + 1) / Double(inArm)
            var draw = Draw(seed: options.seed, .synthetic, sample: sample)
            let angle = (Double(arm) + way) * options.turn + options.spread * draw.normal()
            cells.append(Float(options.radius * way * sin(angle)))
            cells.append(Float(options.radius * way * cos(angle)))
        }
        return try Dataset(
            name: "spiral", features: .table(cells, columns: ["x", "y"]),
            labels: (0..<options.samples).map { $0 % options.classes },
            classNames: (0..<options.classes).map { "arm \($0)" })
    }

    /// Throws for sizes and shapes that make no task.
    public static func gaussianClasses(
        _ options: Synthetic.GaussianClasses
    ) throws(Problem) -> Dataset {
        try options.check()
        let size = options.features
        let vertices = options.vertices()
        var cells = [Float](repeating: 0, count: options.samples * size)
        // Class by class, so that one mixing matrix is in memory at a time.
        for (label, vertex) in vertices.enumerated() {
            let mixing = options.mixing(of: label)
            for sample in stride(from: label, to: options.samples, by: options.classes) {
                var draw = Draw(seed: options.seed, .synthetic, sample: sample)
                let normals = (0..<size).map { _ in draw.normal() }
                for row in 0..<size {
                    var value = vertex[row] * options.separation
                    for column in 0..<size {
                        value += mixing[row * size + column] * normals[column]
                    }
                    cells[sample * size + row] = Float(value)
                }
            }
        }
        return try Dataset(
            name: "Gaussian classes",
            features: .table(cells, columns: (0..<size).map { "x\($0)" }),
            labels: (0..<options.samples).map { $0 % options.classes },
            classNames: (0..<options.classes).map { "class \($0)" })
    }
}

extension Synthetic.GaussianClasses {
    /// s_c of every class, all different: D numbers of −1 or 1 each.
    func vertices() -> [[Double]] {
        // Epoch 1: epoch 0 draws the samples.
        var draw = Draw(seed: seed, .synthetic, epoch: 1)
        var seen = Set<[Double]>()
        var chosen: [[Double]] = []
        // With 10 features or more collisions are rare; with fewer there are at most 1,024 vertices
        // to draw from, and the last class waits for about as many draws.
        while chosen.count < classes {
            let vertex = (0..<features).map { _ in draw.next() >> 63 == 0 ? -1.0 : 1.0 }
            if seen.insert(vertex).inserted { chosen.append(vertex) }
        }
        return chosen
    }

    /// A_c [D, D], row by row.
    func mixing(of label: Int) -> [Double] {
        var draw = Draw(seed: seed, .synthetic, epoch: 2, sample: label)
        return (0..<features * features).map { _ in 2 * draw.uniform() - 1 }
    }
}
