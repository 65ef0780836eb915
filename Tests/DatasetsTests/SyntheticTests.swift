import Diagnostics
import Foundation
import Testing

@testable import Datasets

@Suite struct SyntheticTests {
    private func rows(_ data: Dataset) -> [[Double]] {
        guard case .table(let cells, let columns) = data.features else { return [] }
        return stride(from: 0, to: cells.count, by: columns.count).map { start in
            cells[start..<start + columns.count].map(Double.init)
        }
    }

    // MARK: Spiral

    @Test func spiralDefaults() throws {
        let data = try Dataset.spiral(.init())
        #expect(data.count == 6000 && data.sampleShape == [2] && data.classCount == 4)
        #expect(data.classCounts == [1500, 1500, 1500, 1500])
        #expect(data.labels.prefix(5) == [0, 1, 2, 3, 0] && data.clean == nil)
        #expect(data.duplicateCount == 0)
        #expect(data.classNames == ["arm 0", "arm 1", "arm 2", "arm 3"])
    }

    /// Polar coordinates give the radii back exactly and angles that are normal around the arm.
    @Test func spiralGeometry() throws {
        let data = try Dataset.spiral(.init())
        let points = rows(data)
        var sum = 0.0
        var squares = 0.0
        var fourths = 0.0
        for (sample, point) in points.enumerated() {
            let (arm, i) = (sample % 4, sample / 4 + 1)
            let way = Double(i) / 1500
            #expect(abs(hypot(point[0], point[1]) - 4 * way) < 1e-6)
            let error = atan2(point[0], point[1]) - (Double(arm) + way) * 4.74
            let wrapped = (error - 2 * .pi * (error / (2 * .pi)).rounded()) / 0.2
            sum += wrapped
            squares += wrapped * wrapped
            fourths += wrapped * wrapped * wrapped * wrapped
        }
        // Moments of N(0, 1) over 6,000, within four standard errors.
        #expect(abs(sum / 6000) < 4 * (1.0 / 6000).squareRoot())
        #expect(abs(squares / 6000 - 1) < 4 * (2.0 / 6000).squareRoot())
        #expect(abs(fourths / 6000 - 3) < 4 * (96.0 / 6000).squareRoot())
    }

    @Test func spiralOptions() throws {
        var options = SpiralSource()
        options.classes = 3
        options.samples = 10
        options.radius = 2
        options.turn = .pi / 2
        options.angleStd = 0
        let points = rows(try .spiral(options))
        // Arm 0 has four points; its last is a quarter turn on at radius 2: (2, 0).
        #expect(abs(points[9][0] - 2) < 1e-6 && abs(points[9][1]) < 1e-6)
        // Arm 1 has three; its last is a half turn on: (0, −2).
        #expect(abs(points[7][0]) < 1e-6 && abs(points[7][1] + 2) < 1e-6)
    }

    // MARK: Gaussian classes

    @Test func gaussianDefaults() throws {
        let data = try Dataset.gaussianClasses(.init())
        #expect(data.count == 10_000 && data.sampleShape == [14] && data.classCount == 20)
        #expect(data.classCounts == [Int](repeating: 500, count: 20))
        #expect(data.duplicateCount == 0)
        let vertices = GaussianClassesSource().vertices()
        #expect(Set(vertices).count == 20 && vertices.allSatisfy { $0.allSatisfy { abs($0) == 1 } })
    }

    /// Of every class: mean at its vertex, covariance A Aᵀ, within five standard errors.
    @Test func gaussianMoments() throws {
        var options = GaussianClassesSource()
        options.classes = 4
        options.samples = 40_000
        options.features = 3
        options.separation = 1.5
        options.seed = 9
        let points = rows(try .gaussianClasses(options))
        let n = 10_000.0
        for label in 0..<4 {
            let own = stride(from: label, to: points.count, by: 4).map { points[$0] }
            let mixing = options.mixing(of: label)
            let mean = (0..<3).map { d in own.reduce(0) { $0 + $1[d] } / n }
            var expected = [[Double]](repeating: [0, 0, 0], count: 3)
            for a in 0..<3 {
                for b in 0..<3 {
                    for k in 0..<3 { expected[a][b] += mixing[a * 3 + k] * mixing[b * 3 + k] }
                }
            }
            for a in 0..<3 {
                let vertex = 1.5 * options.vertices()[label][a]
                #expect(abs(mean[a] - vertex) < 5 * (expected[a][a] / n).squareRoot())
                for b in 0..<3 {
                    let found =
                        own.reduce(0) { $0 + ($1[a] - mean[a]) * ($1[b] - mean[b]) } / n
                    let variance =
                        expected[a][a] * expected[b][b] + expected[a][b] * expected[a][b]
                    #expect(abs(found - expected[a][b]) < 5 * (variance / n).squareRoot())
                }
            }
        }
    }

    /// A_c has entries U[−1, 1): mean 0, variance 1/3.
    @Test func mixingMatrices() {
        let options = GaussianClassesSource()
        let all = (0..<20).flatMap { options.mixing(of: $0) }
        let n = Double(all.count)
        #expect(all.allSatisfy { (-1..<1).contains($0) })
        #expect(abs(all.reduce(0, +) / n) < 4 * (1 / 3 / n).squareRoot())
        let square = all.reduce(0) { $0 + $1 * $1 } / n
        #expect(abs(square - 1 / 3.0) < 4 * (4 / 45 / n).squareRoot())
    }

    /// Every vertex of a small cube can be asked for.
    @Test func allVertices() throws {
        var options = GaussianClassesSource()
        options.features = 9
        options.classes = 512
        options.samples = 1024
        let data = try Dataset.gaussianClasses(options)
        #expect(data.classCount == 512 && Set(options.vertices()).count == 512)
    }

    // MARK: Identity

    @Test func deterministic() throws {
        // The same on every machine: scripts/fixtures/synthetic.py.
        let hashes = [
            try Dataset.spiral(.init()).sha256, try Dataset.gaussianClasses(.init()).sha256,
        ]
        #expect(
            hashes[0] == "ad11807b41539a12b48d5917471504354c439ec5e0f49ef053c87e927268bd3e")
        #expect(
            hashes[1] == "914419b7c535efa338ff729406f418b99839d4dee299c717f82eb79cee03b96b")
        var spiral = SpiralSource()
        var gaussian = GaussianClassesSource()
        (spiral.seed, gaussian.seed) = (1, 1)
        #expect(try Dataset.spiral(spiral).sha256 != Dataset.spiral(.init()).sha256)
        #expect(
            try Dataset.gaussianClasses(gaussian).sha256 != Dataset.gaussianClasses(.init()).sha256)
    }

    // MARK: Nonsense

    @Test func refusals() {
        func spiral(_ change: (inout SpiralSource) -> Void) -> String {
            var options = SpiralSource()
            change(&options)
            return failure { try Dataset.spiral(options) }
        }
        func gaussian(_ change: (inout GaussianClassesSource) -> Void) -> String {
            var options = GaussianClassesSource()
            change(&options)
            return failure { try Dataset.gaussianClasses(options) }
        }
        let range = "value out of range"
        #expect(spiral { $0.classes = 1 } == "data.classes: \(range): found 1, expected 2 to 1000")
        #expect(
            spiral { $0.classes = 1001 } == "data.classes: \(range): found 1001, expected 2 to 1000"
        )
        #expect(
            spiral { $0.samples = 7 } == "data.samples: \(range): found 7, expected 8 to 1000000")
        #expect(
            spiral { $0.samples = .max }
                == "data.samples: \(range): found \(Int.max), expected 8 to 1000000")
        #expect(
            spiral { $0.radius = 0 }
                == "data.radius: \(range): found 0.0, expected above 0, at most 1000000")
        #expect(
            spiral { $0.turn = .nan }
                == "data.turn: \(range): found nan, expected above 0, at most 1000000")
        #expect(
            spiral { $0.angleStd = -1 }
                == "data.angle-std: \(range): found -1.0, expected 0 to 1000000")
        #expect(
            gaussian { $0.features = 0 } == "data.features: \(range): found 0, expected 1 to 256")
        #expect(
            gaussian { $0.features = .max }
                == "data.features: \(range): found \(Int.max), expected 1 to 256")
        #expect(
            gaussian { $0.features = 4 }
                == "data.classes: \(range): found 20, expected at most 16, the vertices of 4 features"
        )
        #expect(
            gaussian {
                $0.features = 256
                $0.samples = 100_000
            } == "data.samples: \(range): found 100000, expected 40 to 78125")
        #expect(
            gaussian { $0.separation = .infinity }
                == "data.separation: \(range): found inf, expected above 0, at most 1000000")
    }
}
