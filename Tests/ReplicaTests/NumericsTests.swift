import Foundation
import Testing
import Workers

@testable import Replica

@Suite struct NumericsTests {
    /// Moments that the rules have to integrate exactly.
    @Test(arguments: [2, 5, 12, 24, 48, 72])
    func rules(_ n: Int) {
        let legendre = Quadrature.legendre(n)
        let hermite = Quadrature.hermite(n)
        for power in 0..<min(2 * n, 16) {
            let even = power % 2 == 0
            let wantedL = even ? 2 / Double(power + 1) : 0
            // (power − 1)!!
            let wantedH =
                even ? stride(from: 1, to: power, by: 2).reduce(1.0) { $0 * Double($1) } : 0
            func moment(_ rule: Quadrature) -> Double {
                zip(rule.points, rule.weights).reduce(0) { $0 + $1.1 * pow($1.0, Double(power)) }
            }
            #expect(abs(moment(legendre) - wantedL) < 1e-13)
            #expect(
                abs(moment(hermite) - wantedH) < 1e-15 * pow(7, Double(power)).squareRoot() * 100)
        }
    }

    /// The two-point and three-point rules as textbooks give them.
    @Test func knownPoints() {
        expect(Quadrature.legendre(2).points, [-1 / 3.0.squareRoot(), 1 / 3.0.squareRoot()], 1e-15)
        expect(Quadrature.hermite(3).points, [-(3.0.squareRoot()), 0, 3.0.squareRoot()], 1e-14)
        expect(Quadrature.hermite(3).weights, [1.0 / 6, 2.0 / 3, 1.0 / 6], 1e-14)
    }

    @Test func quantiles() {
        expect(
            [0.5, 0.8413447460685429, 0.025, 1e-12].map(Gaussian.quantile),
            [0, 1, -1.959963984540054, -7.034483825], 1e-9)
        for x in stride(from: -7.0, through: 7, by: 0.37) {
            #expect(
                abs(Gaussian.quantile(Gaussian.tail(-x)) - x) < 1e-4 * max(1, exp(x * x / 2 - 20)))
        }
    }

    /// Points 1, 2, 5, 9 and 777 of the unscrambled sequence in 21 dimensions, from SciPy 1.17.
    @Test func sobolPoints() {
        let wanted: [Int: [Double]] = [
            1: Array(repeating: 0.5, count: 21),
            2: [
                0.75, 0.25, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75, 0.75, 0.75, 0.75, 0.75, 0.25, 0.25,
                0.75, 0.25, 0.75, 0.25, 0.75, 0.25, 0.25,
            ],
            5: [
                0.875, 0.875, 0.125, 0.375, 0.875, 0.625, 0.875, 0.375, 0.375, 0.125, 0.375, 0.875,
                0.875, 0.125, 0.875, 0.375, 0.875, 0.375, 0.375, 0.625, 0.625,
            ],
            9: [
                0.6875, 0.8125, 0.4375, 0.9375, 0.0625, 0.8125, 0.9375, 0.4375, 0.4375, 0.8125,
                0.1875, 0.5625, 0.4375, 0.4375, 0.3125, 0.4375, 0.3125, 0.3125, 0.4375, 0.8125,
                0.6875,
            ],
        ]
        let far: [Double] = [
            0.6923828125, 0.9365234375, 0.1630859375, 0.2744140625, 0.6357421875, 0.3564453125,
            0.1904296875, 0.7626953125, 0.3486328125, 0.3232421875, 0.7451171875, 0.6962890625,
            0.3837890625, 0.4736328125, 0.5693359375, 0.5146484375, 0.4033203125, 0.8642578125,
            0.3701171875, 0.7529296875, 0.2373046875,
        ]
        for d in 0..<21 {
            let points = NormalSample.points(NormalSample.directionNumbers(d), count: 1024)
            #expect(Double(points[777]) * 0x1p-32 == far[d], "777, \(d)")
            for (i, row) in wanted { #expect(Double(points[i]) * 0x1p-32 == row[d], "\(i), \(d)") }
        }
    }

    /// Scrambling keeps the net: each of 2^k intervals holds one of 2^k points.
    @Test func scrambledNet() {
        for d in [0, 1, 5, 20] {
            let points = NormalSample.uniform(d, log2: 8, seed: 3)
            #expect(Set(points.map { Int($0 * 256) }).count == 256)
            #expect(points != NormalSample.uniform(d, log2: 8, seed: 4))
        }
        #expect(NormalSample.uniform(21, log2: 4, seed: 0).allSatisfy { $0 > 0 && $0 < 1 })
    }

    @Test func whitened() {
        let sample = NormalSample(dimensions: 4, log2: 8, seed: 1)
        let n = Double(sample.count)
        for a in 0..<4 {
            #expect(abs(sample.columns[a].reduce(0, +)) < 1e-12)
            for b in 0..<4 {
                let overlap = zip(sample.columns[a], sample.columns[b]).reduce(0) {
                    $0 + $1.0 * $1.1
                }
                #expect(abs(overlap / n - (a == b ? 1 : 0)) < 1e-13)
            }
        }
    }

    /// u + D(σ(u) − ỹ) = h, whatever the guess, with forces and averages that belong to it.
    @Test func proximalMap() {
        for d in [1e-8, 0.3, 5, 400] {
            for y in [0.0, 0.3, 1] {
                for guess in [0.0, -30, 30] {
                    let h = stride(from: -40.0, through: 40, by: 1.7).map { $0 }
                    let nodes = Nodes(
                        category: Category(sign: 1, flip: 1, weight: 1),
                        weight: Array(repeating: 1 / Double(h.count), count: h.count), xi: [h],
                        labels: Array(repeating: y, count: h.count))
                    let field = Field(root: [1], memory: [], m: 0, bias: 0, reaction: d)
                    var u = Array(repeating: guess, count: h.count)
                    var g = u
                    let out = u.withUnsafeMutableBufferPointer { u in
                        g.withUnsafeMutableBufferPointer { g in
                            Kernel.sweep(
                                nodes, field, loss: .crossEntropy, range: 0..<h.count,
                                u: u.baseAddress!, g: g.baseAddress!)
                        }
                    }
                    for i in h.indices {
                        let p = 1 / (1 + exp(-u[i]))
                        #expect(abs(u[i] + d * (p - y) - h[i]) < 1e-9 * max(1, d))
                        #expect(abs(g[i] - (y - p)) < 1e-11)
                    }
                    #expect(abs(out.force - g.reduce(0, +) / Double(h.count)) < 1e-14)
                }
            }
        }
    }

    /// A linear system is solved in as many steps as it has unknowns, and one more.
    @Test func fixedPoint() {
        var solver = FixedPoint()
        solver.damping = 1
        let found = solver.solve(start: [1, 1], scales: [1, 1]) { x in
            [0.9 * x[0] + 0.2 * x[1] + 1, -0.3 * x[0] + 0.5 * x[1] - 2]
        }
        // (I − A) x = b by hand: 0.1x − 0.2y = 1, 0.3x + 0.5y = −2.
        expect(found.x, [10.0 / 11, -50.0 / 11], 1e-9)
        #expect(found.converged && found.iterations <= 8)
        let endless = FixedPoint(mostIterations: 50).solve(start: [1], scales: [1]) {
            [$0[0] * $0[0] + 1]
        }
        #expect(!endless.converged && endless.iterations <= 51)
        let nowhere = FixedPoint().solve(start: [1], scales: [1]) { _ in nil }
        #expect(!nowhere.converged && nowhere.residual == .infinity)
    }

    @Test func simplex() {
        let rosenbrock = NelderMead(bounds: [-5...5, -5...5]).minimise(from: [-1, 2]) { x in
            let (a, b) = (1 - x[0], x[1] - x[0] * x[0])
            return a * a + 100 * b * b
        }
        expect(rosenbrock.x, [1, 1], 1e-3)
        let walled = NelderMead(bounds: [-1...0.5, 0...1]).minimise(from: [0, 0.5]) { x in
            (x[0] - 3) * (x[0] - 3) + (x[1] - 0.2) * (x[1] - 0.2)
        }
        expect(walled.x, [0.5, 0.2], 1e-3)
    }

    @Test func parallelKeepsOrder() {
        for workers in [1, 2, 7] {
            #expect(Parallel.map(100, workers: workers) { $0 * $0 } == (0..<100).map { $0 * $0 })
        }
        #expect(Parallel.map(0) { $0 } == [])
    }
}
