import Diagnostics
import Foundation
import Testing

@testable import Datasets

@Suite struct ColourShapesTests {
    private let side = ColourShapesSource.side

    private func make(_ samples: Int, seed: UInt64 = 0) throws -> (data: Dataset, bytes: [UInt8]) {
        var options = ColourShapesSource()
        options.samples = samples
        options.seed = seed
        let data = try Dataset.colourShapes(options)
        guard case .images(let bytes, 3, 16, 16) = data.features else {
            throw Problem(.internal, "not 16x16 colour images")
        }
        return (data, bytes)
    }

    @Test func everyClassHasItsNameAndItsTurn() throws {
        let (data, bytes) = try make(72)
        #expect(data.sampleShape == [3, 16, 16])
        #expect(bytes.count == 72 * 768)
        #expect(data.classCounts == [Int](repeating: 2, count: 36))
        #expect(data.classNames.prefix(6).last == "red diamond")
        #expect(data.classNames[3] == "red ring")
        #expect(data.classNames[35] == "cyan diamond")
        #expect(Set(data.classNames).count == 36)
        #expect(data.duplicateCount == 0)
    }

    @Test func theSeedDecidesAndNothingElse() throws {
        let a = try make(72).bytes
        #expect(try make(72).bytes == a)
        #expect(try make(72, seed: 1).bytes != a)
        // Sample by sample: more samples leave the first ones as they are.
        #expect(try make(108).bytes.prefix(a.count) == a[...])
    }

    /// Areas in squared radii by school geometry, at many positions and angles. Sixteen
    /// points per pixel leave an error along edges that lie in rows of them.
    private static let areas: [(Synthetic.Shape, Double)] = [
        (.disc, 2.54469), (.square, 2.56), (.triangle, 1.62), (.ring, 2.19126), (.cross, 1.9264),
        (.diamond, 1.3),
    ]

    @Test(arguments: areas)
    func shapesCoverTheirArea(_ shape: Synthetic.Shape, _ area: Double) {
        for i in 0..<20 {
            let turn = Double(i) / 20
            let pose = Synthetic.Pose(
                x: 7 + 2 * turn, y: 9 - 2 * turn, radius: 4.25 + 2 * turn, slope: turn / 2 - 0.25)
            let covered = pose.coverage(of: shape).reduce(0, +)
            let expected = area * pose.radius * pose.radius
            #expect(abs(covered - expected) < 0.03 * expected, "\(shape) \(i)")
        }
    }

    /// Without a turn every shape but the triangle is its own mirror image both ways; it stands on
    /// its long side.
    @Test(arguments: Synthetic.Shape.allCases) func shapesAreSymmetric(_ shape: Synthetic.Shape) {
        let pose = Synthetic.Pose(x: 8, y: 8, radius: 6, slope: 0)
        let coverage = pose.coverage(of: shape)
        let rows = (0..<16).map { Array(coverage[$0 * 16..<$0 * 16 + 16]) }
        #expect(rows.map { Array($0.reversed()) } == rows)
        #expect((rows.reversed() == rows) == (shape != .triangle))
        if shape == .triangle {
            let sums = rows.map { $0.reduce(0, +) }
            #expect(sums[11] > sums[8] && sums[8] > sums[4])
        }
        // Only the ring has a hole.
        #expect((coverage[7 * 16 + 7] == 0) == (shape == .ring))
    }

    /// The mean colour of covered pixels is nearest to the class's own.
    @Test func coloursAreThoseOfTheClass() throws {
        let (data, bytes) = try make(360)
        let plane = side * side
        for sample in 0..<data.count {
            // The brightest tenth of the image, by its largest channel, lies inside the shape.
            let image = bytes[sample * 3 * plane..<(sample + 1) * 3 * plane].map(Double.init)
            let order = (0..<plane).sorted { a, b in
                (0..<3).map { image[$0 * plane + a] }.max()!
                    > (0..<3).map { image[$0 * plane + b] }.max()!
            }
            let mean = (0..<3).map { c in
                order.prefix(24).reduce(0) { $0 + image[c * plane + $1] }
            }
            func cosine(_ colour: Synthetic.Colour) -> Double {
                let values = colour.values
                let dot = zip(mean, values).reduce(0) { $0 + $1.0 * $1.1 }
                let size = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return dot / size
            }
            let nearest = Synthetic.Colour.allCases.max { cosine($0) < cosine($1) }!
            #expect(data.classNames[data.labels[sample]].hasPrefix(nearest.rawValue))
        }
    }

    @Test func sizesThatMakeNoTask() {
        for (samples, found) in [(71, "71"), (30_000, "30000")] {
            #expect {
                _ = try make(samples)
            } throws: {
                "\($0)" == "data.samples: value out of range: found \(found), expected 72 to 26041"
            }
        }
    }
}
