import Randomness
import Testing

struct GammaTests {
    private let count = 100_000

    private func moments(_ numbers: [Double]) -> (mean: Double, variance: Double) {
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        return (mean, numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count))
    }

    /// Golden values of golden_draws.py. Logarithms of two platforms may differ in the last bit.
    @Test func goldenNumbers() {
        var draw = Draw(seed: 7, .tests)
        for (shape, expected) in [
            (4, 10.011875264727566), (1, 0.09535768274884901), (0.3, 0.6430630167636235),
        ] { #expect(abs(draw.gamma(shape) - expected) < 1e-12) }
        draw = Draw(seed: 7, .tests)
        for (a, b, expected) in [
            (4, 4, 0.8437909601249127), (1, 1, 0.8792506122084169),
            (0.2, 0.2, 0.19490615622429397), (0.5, 3, 0.07302029083352786),
        ] { #expect(abs(draw.beta(a, b) - expected) < 1e-12) }
    }

    /// Mean and variance are the shape; bounds of five standard deviations: √(a/n) and
    /// √((2a² + 6a)/n).
    @Test(arguments: [0.1, 0.5, 0.999, 1, 1.001, 2.5, 30])
    func gammaHasItsMoments(shape: Double) {
        var draw = Draw(seed: 20, .tests)
        let numbers = (0..<count).map { _ in draw.gamma(shape) }
        let (mean, variance) = moments(numbers)
        #expect(numbers.allSatisfy { $0 >= 0 && $0.isFinite })
        #expect(abs(mean - shape) < 5 * (shape / Double(count)).squareRoot())
        #expect(
            abs(variance - shape)
                < 5 * ((2 * shape * shape + 6 * shape) / Double(count)).squareRoot())
    }

    /// Mean a/(a + b), variance ab/((a + b)² (a + b + 1)).
    @Test(arguments: [(0.1, 0.1), (0.2, 0.7), (0.75, 0.75), (1, 1), (4, 4), (32, 32), (2, 5)])
    func betaHasItsMoments(a: Double, b: Double) {
        var draw = Draw(seed: 21, .tests)
        let numbers = (0..<count).map { _ in draw.beta(a, b) }
        let (mean, variance) = moments(numbers)
        let expected = a * b / ((a + b) * (a + b) * (a + b + 1))
        #expect(numbers.allSatisfy { (0...1).contains($0) })
        #expect(abs(mean - a / (a + b)) < 5 * (expected / Double(count)).squareRoot())
        // A number in [0, 1] has (x − mean)² of a standard deviation of at most ½.
        #expect(abs(variance - expected) < 5 * 0.5 / Double(count).squareRoot())
    }

    /// Beta(1, 1) is uniform, Beta(2, 1) has the distribution function x².
    @Test func betaHasItsDistribution() {
        var draw = Draw(seed: 22, .tests)
        for bound in [0.1, 0.35, 0.5, 0.9] {
            let uniform = (0..<count).count { _ in draw.beta(1, 1) < bound }
            let square = (0..<count).count { _ in draw.beta(2, 1) < bound }
            #expect(abs(Double(uniform) / Double(count) - bound) < 0.008)
            #expect(abs(Double(square) / Double(count) - bound * bound) < 0.008)
        }
    }

    /// Both gamma numbers underflow for such shapes; their ratio must not become 0/0.
    @Test func tinyShapesGiveNumbers() {
        var draw = Draw(seed: 23, .tests)
        let numbers = (0..<2000).map { _ in draw.beta(1e-6, 1e-6) }
        #expect(numbers.allSatisfy { (0...1).contains($0) })
        let ones = numbers.count { $0 > 0.5 }
        #expect((860...1140).contains(ones))
    }
}
