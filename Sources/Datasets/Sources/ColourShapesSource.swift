import Diagnostics
import Foundation
import Randomness

/// Small colour images of 36 classes: one of six shapes in one of six colours, 16 × 16 pixels.
///
///     centre  8 ± 1.75 in both directions        radius  4.25 … 6.5
///     turned by at most atan ¼ (14°)              brightness  0.6 … 1
///     background grey 0 … 0.35                     each value ± 0.15 more
///
/// All draws are uniform. Colour c of shape s is class 6 c + s, named "red ring" and so on, so that
/// a text embedding has something to say. An easy task with nothing of the real world in it: small
/// networks get nearly all of it right.
public struct ColourShapesSource: DataSource {
    public static let kind = "colour-shapes"
    public static let keys = CodingKeys.allCases.map(\.rawValue)

    /// At least 2 per class.
    public var samples = 7_200
    public var seed: UInt64 = 0

    public static let side = 16

    enum CodingKeys: String, CodingKey, CaseIterable { case samples, seed }

    public init() {}

    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        samples = try values.decodeIfPresent(Int.self, forKey: .samples) ?? samples
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
    }

    /// Throws for sizes that make no task.
    public func check() throws(Problem) {
        try Synthetic.check(
            classes: Synthetic.Colour.allCases.count * Synthetic.Shape.allCases.count,
            samples: samples,
            features: 3 * Self.side * Self.side)
    }

    /// Class 6 c + s.
    public static let classNames = Synthetic.Colour.allCases.flatMap { colour in
        Synthetic.Shape.allCases.map { "\(colour.rawValue) \($0.rawValue)" }
    }

    public var labelsAreTrue: Bool { true }

    public func read() throws(Problem) -> (learning: Dataset, test: Dataset?) {
        (try .colourShapes(self), nil)
    }
}

extension Synthetic {
    enum Colour: String, CaseIterable {
        case red, green, blue, yellow, magenta, cyan

        /// Red, green and blue at full brightness.
        var values: [Double] {
            switch self {
            case .red: [1, 0.1, 0.1]
            case .green: [0.1, 0.85, 0.1]
            case .blue: [0.15, 0.25, 1]
            case .yellow: [1, 0.9, 0.1]
            case .magenta: [0.9, 0.1, 0.9]
            case .cyan: [0.1, 0.9, 0.9]
            }
        }
    }

    enum Shape: String, CaseIterable {
        case disc, square, triangle, ring, cross, diamond

        /// Whether the point is inside; coordinates in radii from the centre, v downwards.
        func contains(_ u: Double, _ v: Double) -> Bool {
            let square = u * u + v * v
            return switch self {
            case .disc: square <= 0.9 * 0.9
            case .square: max(abs(u), abs(v)) <= 0.8
            // Corners at the top and at ±0.9 below, sides of slope 2.
            case .triangle: v <= 0.8 && v >= 2 * abs(u) - 1
            case .ring: square <= 1 && square >= 0.55 * 0.55
            case .cross: min(abs(u), abs(v)) <= 0.28 && max(abs(u), abs(v)) <= 1
            case .diamond: abs(u) / 0.65 + abs(v) <= 1
            }
        }
    }

    /// Where a shape lies in its image, in pixels.
    struct Pose {
        var x: Double
        var y: Double
        var radius: Double
        /// Tangent of the angle: no sine has to agree between machines.
        var slope: Double

        /// How much of each pixel the shape covers, in sixteenths: rows of 16.
        func coverage(of shape: Shape) -> [Double] {
            let side = ColourShapesSource.side
            let cosine = 1 / (1 + slope * slope).squareRoot()
            let sine = slope * cosine
            return (0..<side * side).map { pixel in
                var inside = 0
                for point in 0..<16 {
                    let dx = Double(pixel % side) + (Double(point % 4) + 0.5) / 4 - x
                    let dy = Double(pixel / side) + (Double(point / 4) + 0.5) / 4 - y
                    let u = (cosine * dx + sine * dy) / radius
                    let v = (cosine * dy - sine * dx) / radius
                    if shape.contains(u, v) { inside += 1 }
                }
                return Double(inside) / 16
            }
        }
    }
}

extension Dataset {
    /// Throws for sizes that make no task.
    public static func colourShapes(
        _ options: ColourShapesSource
    ) throws(Problem) -> Dataset {
        try options.check()
        let names = ColourShapesSource.classNames
        let shapes = Synthetic.Shape.allCases
        let side = ColourShapesSource.side
        var bytes: [UInt8] = []
        bytes.reserveCapacity(options.samples * 3 * side * side)
        for sample in 0..<options.samples {
            let label = sample % names.count
            var draw = Draw(seed: options.seed, .synthetic, sample: sample)
            func uniform(_ low: Double, _ high: Double) -> Double {
                low + (high - low) * draw.uniform()
            }
            let pose = Synthetic.Pose(
                x: uniform(6.25, 9.75), y: uniform(6.25, 9.75), radius: uniform(4.25, 6.5),
                slope: uniform(-0.25, 0.25))
            let brightness = uniform(0.6, 1)
            let grey = uniform(0, 0.35)
            let coverage = pose.coverage(of: shapes[label % shapes.count])
            for value in Synthetic.Colour.allCases[label / shapes.count].values {
                for inside in coverage {
                    let clean = inside * value * brightness + (1 - inside) * grey
                    let noisy = min(1, max(0, clean + uniform(-0.15, 0.15)))
                    bytes.append(UInt8((255 * noisy).rounded()))
                }
            }
        }
        return try Dataset(
            name: "colour shapes",
            features: .images(bytes: bytes, channels: 3, height: side, width: side),
            labels: (0..<options.samples).map { $0 % names.count }, classNames: names)
    }
}
