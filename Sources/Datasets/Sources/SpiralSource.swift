import Diagnostics
import Foundation
import Randomness

/// Interleaved arms in the plane, one per class.
///
///     θ = (c + i/n) · turn + N(0, spread²),   r = radius · i/n,   i = 1 … n of arm c
///     x = r sin θ,  y = r cos θ
///
/// The defaults are those of the spiral task of adaptive loss mixing (arXiv 2202.03250) as our
/// source lists them: 4 arms of 1,500 points, r up to 4, a step of 4.74 rad, N(0, .2²) on θ.
/// That an arm both begins at and spans a multiple of the step is our reading of that list. r
/// starts above 0, where all arms would meet in one point of several labels.
public struct SpiralSource: DataSource {
    public static let kind = "spiral"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    /// Arms, 2 to 1,000.
    public var classes = 4
    /// Of all arms together, at least 2 per arm.
    public var samples = 6_000
    public var radius = 4.0
    /// In radians.
    public var turn = 4.74
    /// Standard deviation of the angle, in radians.
    public var angleStd = 0.2
    public var seed: UInt64 = 0

    enum CodingKeys: String, CodingKey, CaseIterable {
        case classes, samples, radius, turn, seed
        case angleStd = "angle-std"
    }

    public init() {}

    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        classes = try values.decodeIfPresent(Int.self, forKey: .classes) ?? classes
        samples = try values.decodeIfPresent(Int.self, forKey: .samples) ?? samples
        radius = try values.decodeIfPresent(Double.self, forKey: .radius) ?? radius
        turn = try values.decodeIfPresent(Double.self, forKey: .turn) ?? turn
        angleStd = try values.decodeIfPresent(Double.self, forKey: .angleStd) ?? angleStd
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
    }

    /// Throws for sizes and shapes that make no task.
    public func check() throws(Problem) {
        try Synthetic.check(classes: classes, samples: samples, features: 2)
        try Synthetic.check("radius", radius, from: 0)
        try Synthetic.check("turn", turn, from: 0)
        try Synthetic.check("angle-std", angleStd, from: 0, open: false)
    }

    public var labelsAreTrue: Bool { true }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        (try .spiral(self), nil)
    }
}

extension Dataset {
    /// Throws for sizes and shapes that make no task.
    public static func spiral(_ options: SpiralSource) throws(Problem) -> Dataset {
        try options.check()
        var cells: [Float] = []
        cells.reserveCapacity(2 * options.samples)
        for sample in 0..<options.samples {
            let (place, arm) = sample.quotientAndRemainder(dividingBy: options.classes)
            let inArm = (options.samples - arm - 1) / options.classes + 1
            let way = Double(place + 1) / Double(inArm)
            var draw = Draw(seed: options.seed, .synthetic, sample: sample)
            let angle = (Double(arm) + way) * options.turn + options.angleStd * draw.normal()
            cells.append(Float(options.radius * way * sin(angle)))
            cells.append(Float(options.radius * way * cos(angle)))
        }
        return try Dataset(
            name: "spiral", features: .table(cells, columns: ["x", "y"]),
            labels: (0..<options.samples).map { $0 % options.classes },
            classNames: (0..<options.classes).map { "arm \($0)" })
    }
}
