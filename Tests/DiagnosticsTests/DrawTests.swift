import Randomness
import Testing

/// Golden values come from golden_draws.py, a second implementation. They must never change: a
/// run resumed by a later version has to draw the same numbers.
struct DrawTests {
    @Test func goldenBits() {
        var draw = Draw(seed: 0, .split)
        #expect(draw.next() == 0x800b_e6a7_740c_f815)
        #expect(draw.next() == 0x4c4a_3ea6_eed5_ac04)
        #expect(draw.next() == 0x766b_b609_68ed_076a)
        draw = Draw(seed: .max, .augmentation, epoch: 3, step: 70, sample: -1)
        #expect(draw.next() == 0xaaf8_bac7_4c94_09ba)
        #expect(draw.next() == 0xd23c_0b21_c3b4_f2d8)
        #expect(draw.next() == 0x04c0_fad4_0bb2_802c)
    }

    @Test func goldenNumbers() {
        var draw = Draw(seed: 7, .tests)
        #expect(draw.uniform() == 0.9941588018451869)
        #expect(draw.uniform() == 0.8761867769226108)
        #expect(draw.uniform() == 0.999397587823884)
        draw = Draw(seed: 7, .tests)
        #expect((0..<12).map { _ in draw.below(10) } == [9, 8, 9, 7, 3, 5, 8, 1, 1, 2, 5, 1])
        // A bound that does not divide 2⁶⁴, so large that one draw in four is rejected.
        draw = Draw(seed: 7, .tests)
        #expect(
            (0..<6).map { _ in draw.below(3 << 61) } == [
                6_061_047_462_997_442_126, 6_913_361_823_926_195_436, 4_912_406_688_418_882_086,
                2_650_606_967_720_539_443, 3_579_377_791_738_949_366, 1_276_155_359_409_996_754,
            ])
        draw = Draw(seed: 7, .tests)
        // Logarithm and cosine of two platforms may differ in the last bit.
        for expected in [2.2846255323485556, -0.9544140582812524, -0.9771286207692134] {
            #expect(abs(draw.normal() - expected) < 1e-14)
        }
        draw = Draw(seed: 7, .tests)
        #expect(Array(0..<10).shuffled(using: &draw) == [9, 8, 0, 7, 6, 3, 2, 5, 1, 4])
    }

    /// Purposes enter the key by number.
    @Test func purposesKeepTheirNumbers() {
        #expect(Draw.Purpose.split.rawValue == 1)
        #expect(Draw.Purpose.noise.rawValue == 2)
        #expect(Draw.Purpose.initialisation.rawValue == 3)
        #expect(Draw.Purpose.order.rawValue == 4)
        #expect(Draw.Purpose.augmentation.rawValue == 5)
        #expect(Draw.Purpose.dropout.rawValue == 6)
        #expect(Draw.Purpose.noiseFeatures.rawValue == 7)
        #expect(Draw.Purpose.peers.rawValue == 8)
        #expect(Draw.Purpose.generator.rawValue == 9)
        #expect(Draw.Purpose.tests.rawValue == 10)
        #expect(Draw.Purpose.synthetic.rawValue == 11)
        #expect(Draw.Purpose.metaOrder.rawValue == 12)
        #expect(Draw.Purpose.simulation.rawValue == 13)
        #expect(Draw.Purpose.synthesis.rawValue == 14)
        #expect(Draw.Purpose.labelVectors.rawValue == 15)
        #expect(Draw.Purpose.mixup.rawValue == 16)
        #expect(Draw.Purpose.latentClasses.rawValue == 17)
        #expect(Draw.Purpose.folds.rawValue == 20)
    }

    /// Pearson's χ² over 100 equal cells: mean 99, standard deviation 14; beyond these bounds by
    /// chance about once in 10⁴.
    private func isUniform(_ numbers: some Sequence<Double>) -> Bool {
        var cells = [Double](repeating: 0, count: 100)
        var count = 0.0
        for number in numbers {
            guard (0..<1).contains(number) else { return false }
            cells[Int(number * 100)] += 1
            count += 1
        }
        let expected = count / 100
        let statistic = cells.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
        return (55...160).contains(statistic)
    }

    private func correlation(_ pairs: [(Double, Double)]) -> Double {
        let n = Double(pairs.count)
        let (x, y) = (pairs.reduce(0) { $0 + $1.0 } / n, pairs.reduce(0) { $0 + $1.1 } / n)
        var (xx, yy, xy) = (0.0, 0.0, 0.0)
        for (a, b) in pairs {
            xx += (a - x) * (a - x)
            yy += (b - y) * (b - y)
            xy += (a - x) * (b - y)
        }
        return xy / (xx * yy).squareRoot()
    }

    @Test func oneStreamIsUniform() {
        var draw = Draw(seed: 11, .tests)
        #expect(isUniform((0..<100_000).map { _ in draw.uniform() }))
    }

    /// Limbeck takes one or a few numbers of each of very many streams.
    @Test(arguments: ["seed", "epoch", "step", "sample"])
    func firstNumbersAcrossStreamsAreUniform(key: String) {
        let numbers = (0..<100_000).map { i in
            var draw =
                switch key {
                case "seed": Draw(seed: UInt64(i), .tests)
                case "epoch": Draw(seed: 5, .tests, epoch: i)
                case "step": Draw(seed: 5, .tests, step: i)
                default: Draw(seed: 5, .tests, sample: i)
                }
            return draw.uniform()
        }
        #expect(isUniform(numbers))
        #expect(abs(correlation(Array(zip(numbers, numbers.dropFirst())))) < 0.012)
    }

    @Test func streamsOfDifferentKeysAreIndependent() {
        func pairs(_ a: Draw, _ b: Draw) -> [(Double, Double)] {
            var (a, b) = (a, b)
            return (0..<100_000).map { _ in (a.uniform(), b.uniform()) }
        }
        let base = Draw(seed: 5, .noise, epoch: 1, step: 2, sample: 3)
        let others = [
            Draw(seed: 6, .noise, epoch: 1, step: 2, sample: 3),
            Draw(seed: 5, .split, epoch: 1, step: 2, sample: 3),
            Draw(seed: 5, .noise, epoch: 2, step: 1, sample: 3),
            Draw(seed: 5, .noise, epoch: 1, step: 3, sample: 2),
            Draw(seed: 5, .noise, epoch: 3, step: 2, sample: 1),
            Draw(seed: 5, .noise, epoch: 1, step: 2, sample: 4),
        ]
        for other in others { #expect(abs(correlation(pairs(base, other))) < 0.015) }
    }

    @Test func noTwoOfManyStreamsAreAlike() {
        var seen: Set<UInt64> = []
        for purpose in Draw.Purpose.allCases {
            for epoch in 0..<12 {
                for step in 0..<12 {
                    for sample in -6..<6 {
                        var draw = Draw(
                            seed: 1, purpose, epoch: epoch, step: step, sample: sample)
                        seen.insert(draw.next())
                    }
                }
            }
        }
        #expect(seen.count == Draw.Purpose.allCases.count * 12 * 12 * 12)
    }

    @Test func orderOfAskingDoesNotMatter() {
        func numbers(_ samples: [Int]) -> [Int: [UInt64]] {
            var numbers: [Int: [UInt64]] = [:]
            var other = Draw(seed: 9, .order)
            for sample in samples {
                var draw = Draw(seed: 9, .augmentation, epoch: 4, sample: sample)
                numbers[sample] = (0..<3).map { _ in
                    _ = other.next()
                    return draw.next()
                }
            }
            return numbers
        }
        #expect(numbers(Array(0..<50)) == numbers((0..<50).reversed()))
    }

    @Test func belowIsUnbiased() {
        var draw = Draw(seed: 12, .tests)
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[draw.below(6)] += 1 }
        // Standard deviation of a count: √(60000 · 5/36) = 91.
        for count in counts { #expect(abs(count - 10_000) < 400) }
        #expect((0..<20).allSatisfy { _ in draw.below(1) == 0 })
    }

    /// Mean 0, variance 1, skewness 0, kurtosis 3, and 2.275 % beyond two.
    @Test func normalsHaveTheirMoments() {
        var draw = Draw(seed: 13, .tests)
        let numbers = (0..<200_000).map { _ in draw.normal() }
        func moment(_ power: Int) -> Double {
            numbers.reduce(0) { sum, x in
                sum + (0..<power).reduce(1) { product, _ in product * x }
            } / Double(numbers.count)
        }
        #expect(abs(moment(1)) < 0.01)
        #expect(abs(moment(2) - 1) < 0.015)
        #expect(abs(moment(3)) < 0.03)
        #expect(abs(moment(4) - 3) < 0.12)
        let beyond = Double(numbers.count { $0 > 2 }) / Double(numbers.count)
        #expect(abs(beyond - 0.02275) < 0.0015)
        #expect(numbers.allSatisfy { $0.isFinite })
    }

    @Test func weightsAreFrequencies() {
        var draw = Draw(seed: 14, .tests)
        var counts = [0, 0, 0, 0, 0]
        for _ in 0..<80_000 { counts[draw.index(weights: [0, 1, 0, 3, 0])] += 1 }
        #expect(counts[0] == 0 && counts[2] == 0 && counts[4] == 0)
        // Standard deviation: √(80000 · 3/16) = 122.
        #expect(abs(counts[1] - 20_000) < 500)
        #expect(draw.index(weights: [0, 0, 0.1]) == 2)
    }
}
