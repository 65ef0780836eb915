import Diagnostics
import Randomness

/// Normal clouds in many dimensions, one per class, around vertices of a hypercube.
///
///     x = s_c · separation + A_c g,   g ~ N(0, I),   A_c entries U[−1, 1),   s_c ∈ {−1, 1}^D
///
/// After the description of `make_classification` in scikit-learn (Guyon 2003 for the MADELON
/// task), with one cluster per class and informative features alone, as the many-class task of
/// adaptive loss mixing uses it: 10,000 samples, 14 features, 20 classes, separation 1. It is
/// written after that description and not bit-equal to it; no label is flipped.
public struct GaussianClassesSource: DataSource {
    public static let kind = "gaussian-classes"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    /// 2 to 1,000, and at most the 2^features vertices.
    public var classes = 20
    /// At least 2 per class.
    public var samples = 10_000
    /// D, 1 to 256.
    public var features = 14
    /// Half the side of the hypercube, above 0.
    public var separation = 1.0
    public var seed: UInt64 = 0

    enum CodingKeys: String, CodingKey, CaseIterable {
        case classes, samples, features, separation, seed
    }

    public init() {}

    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        classes = try values.decodeIfPresent(Int.self, forKey: .classes) ?? classes
        samples = try values.decodeIfPresent(Int.self, forKey: .samples) ?? samples
        features = try values.decodeIfPresent(Int.self, forKey: .features) ?? features
        separation = try values.decodeIfPresent(Double.self, forKey: .separation) ?? separation
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
    }

    /// Throws for sizes and shapes that make no task.
    public func check() throws(Problem) {
        guard (1...256).contains(features) else {
            throw .dataRange("features", found: "\(features)", expected: "1 to 256")
        }
        try Synthetic.check(classes: classes, samples: samples, features: features)
        guard features >= 10 || classes <= 1 << features else {
            throw .dataRange(
                "classes", found: "\(classes)",
                expected: "at most \(1 << features), the vertices of \(features) features")
        }
        try Synthetic.check("separation", separation, from: 0)
    }

    public var labelsAreTrue: Bool { true }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        (try .gaussianClasses(self), nil)
    }
}

extension Dataset {
    /// Throws for sizes and shapes that make no task.
    public static func gaussianClasses(
        _ options: GaussianClassesSource
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

extension GaussianClassesSource {
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
