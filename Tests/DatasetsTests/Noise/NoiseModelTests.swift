import Datasets
import Diagnostics
import Testing

/// The class-conditional kinds: matrices by hand, realised labels against binomial bounds.
struct NoiseModelTests {
    static let count = 20_000
    static let labels = cyclicLabels(count, 10)

    func apply(_ noise: LabelNoise, seed: UInt64 = 11) throws -> NoisyLabels {
        try noise.apply(labels: Self.labels, classCount: 10, classNames: cifarNames, seed: seed)
    }

    @Test func cleanLabelsStay() throws {
        let noisy = try apply(LabelNoise(.clean))
        #expect(noisy.labels == Self.labels && noisy.clean == Self.labels)
        #expect(noisy.realisedRate == 0 && noisy.intendedRate == 0)
        #expect(noisy.realisedTransition == noisy.intendedTransition)
        #expect(noisy.warnings.isEmpty && !noisy.compatibility)
    }

    @Test(arguments: [0.1, 0.4, 0.8]) func symmetricIsExclusive(_ rate: Double) throws {
        let noisy = try apply(LabelNoise(.symmetric, rate: rate))
        expectShare(noisy.realisedRate!, rate, of: Self.count)
        let matrix = try #require(noisy.intendedTransition)
        #expect(matrix[3][3] == 1 - rate && matrix[3][7] == rate / 9)
        let (statistic, bound) = chiSquare(noisy, matrix)
        #expect(statistic < bound)
        #expect(abs((noisy.intendedRate ?? 0) - rate) < 1e-12)
    }

    @Test func symmetricAtRateOneChangesEveryLabel() throws {
        #expect(try apply(LabelNoise(.symmetric, rate: 1)).realisedRate == 1)
        #expect(try apply(LabelNoise(.symmetric, rate: 0)).realisedRate == 0)
        #expect(
            try apply(LabelNoise(.pairflip, rate: 1)).labels == Self.labels.map { ($0 + 1) % 10 })
    }

    @Test(arguments: [10, 100]) func inclusiveRealisesLessThanItsRate(_ classes: Int) throws {
        let noise = LabelNoise(.symmetricInclusive, rate: 0.5)
        let noisy = try noise.apply(
            labels: cyclicLabels(Self.count, classes), classCount: classes, seed: 5)
        // r (C − 1)/C: .45 and .495; only the 10,000 chosen can change.
        let effective = classes == 10 ? 0.45 : 0.495
        #expect(abs((noisy.intendedRate ?? 0) - effective) < 1e-12)
        expectShare(noisy.realisedRate! * 2, effective * 2, of: Self.count / 2)
        let matrix = try #require(noisy.intendedTransition)
        #expect(abs(matrix[0][0] - (1 - effective)) < 1e-12)
        #expect(abs(matrix[0][1] - 0.5 / Double(classes)) < 1e-12)
    }

    @Test func inclusiveAtRateOneIsUniform() throws {
        let noisy = try apply(LabelNoise(.symmetricInclusive, rate: 1))
        let uniform = [[Double]](repeating: [Double](repeating: 0.1, count: 10), count: 10)
        let (statistic, bound) = chiSquare(noisy, uniform)
        #expect(statistic < bound)
    }

    @Test func pairflipMovesToTheNextClassOnly() throws {
        let noisy = try apply(LabelNoise(.pairflip, rate: 0.3))
        for a in 0..<10 {
            let row = noisy.realisedTransition![a]
            expectShare(row[(a + 1) % 10], 0.3, of: Self.count / 10)
            #expect(abs(row[a] + row[(a + 1) % 10] - 1) < 1e-12)
        }
    }

    @Test func asymmetricCIFAR10() throws {
        let noisy = try apply(LabelNoise(.asymmetric, rate: 0.4, map: .cifar10))
        let target = [2: 0, 3: 5, 4: 7, 5: 3, 9: 1]
        for a in 0..<10 {
            let row = noisy.realisedTransition![a]
            guard let b = target[a] else {
                #expect(row[a] == 1)
                continue
            }
            expectShare(row[b], 0.4, of: Self.count / 10)
            #expect(abs(row[a] + row[b] - 1) < 1e-12)
        }
        // Half of the classes flip: r/2.
        #expect(abs((noisy.intendedRate ?? 0) - 0.2) < 1e-12)
        expectShare(noisy.realisedRate! * 2, 0.4, of: Self.count / 2)
    }

    /// 8,000 samples are chosen among all; those of the five clean classes stay as they are.
    @Test func asymmetricGlobalChoosesAmongAll() throws {
        let noisy = try apply(LabelNoise(.asymmetricGlobal, rate: 0.4, map: .cifar10))
        // Hypergeometric, whose spread is below the binomial's.
        expectShare(noisy.realisedRate! * 2, 0.4, of: Self.count / 2)
        for a in [0, 1, 6, 7, 8] { #expect(noisy.realisedTransition![a][a] == 1) }
        expectShare(noisy.realisedTransition![3][5], 0.4, of: Self.count / 10)
        #expect(!noisy.compatibility)
    }

    @Test func asymmetricGlobalCountIsExactWhereAllClassesFlip() throws {
        let all = Dictionary(uniqueKeysWithValues: (0..<10).map { ("\($0)", "\(($0 + 3) % 10)") })
        let noisy = try apply(LabelNoise(.asymmetricGlobal, rate: 0.29, map: .explicit(all)))
        #expect(zip(noisy.clean, noisy.labels).filter { $0 != $1 }.count == 5_800)
    }

    @Test func exactCountsRoundDownButNotByFloatingPoint() throws {
        let pair = LabelNoise.Map.explicit(["0": "1", "1": "0"])
        // .29 · 100 is 28.999999999999996 in floating point, and 29.
        for (rate, count, changed) in [(0.29, 100, 29), (0.3, 7, 2), (0.99, 1, 0), (1.0, 3, 3)] {
            let noisy = try LabelNoise(.asymmetricGlobal, rate: rate, map: pair).apply(
                labels: cyclicLabels(count, 2), classCount: 2, seed: 1)
            #expect(zip(noisy.clean, noisy.labels).filter { $0 != $1 }.count == changed)
        }
    }

    @Test func givenMatrix() throws {
        let matrix = [[0.7, 0.2, 0.1], [0, 1, 0], [0.25, 0.25, 0.5]]
        let noisy = try LabelNoise(.matrix, matrix: matrix).apply(
            labels: cyclicLabels(15_000, 3), classCount: 3, seed: 3)
        let (statistic, bound) = chiSquare(noisy, matrix)
        #expect(statistic < bound)
        #expect(abs((noisy.intendedRate ?? 0) - 0.8 / 3) < 1e-12)
        // The same labels do not fit the transpose: rows are the clean classes.
        let transpose = (0..<3).map { b in (0..<3).map { a in matrix[a][b] } }
        #expect(chiSquare(noisy, transpose).statistic > bound)
    }

    @Test func humanSurrogate() throws {
        let noisy = try apply(LabelNoise(.humanCIFAR10NWorst))
        let matrix = try #require(noisy.intendedTransition)
        for row in matrix { #expect(abs(row.reduce(0, +) - 1) < 1e-12) }
        // The published label file's own rate is .4021.
        #expect(abs((noisy.intendedRate ?? 0) - 0.4021) < 5e-4)
        // truck → automobile and cat → dog; row 9 adds up to 1.001 before it is renormalised.
        #expect(abs(matrix[9][1] - 0.282 / 1.001) < 1e-12 && abs(matrix[3][5] - 0.206) < 1e-12)
        let (statistic, bound) = chiSquare(noisy, matrix)
        #expect(statistic < bound)
    }

    @Test func classesWithoutSamplesAreFlagged() throws {
        let noisy = try LabelNoise(.pairflip, rate: 0.4).apply(
            labels: [0, 0, 2], classCount: 4, seed: 1)
        #expect(noisy.emptyClasses == [1, 3] && noisy.counts == [2, 0, 1, 0])
        #expect(noisy.realisedTransition![1] == [0, 1, 0, 0])
        #expect(noisy.realisedTransition!.joined().allSatisfy { $0.isFinite })
        let none = try LabelNoise(.symmetric, rate: 0.4).apply(labels: [], classCount: 2, seed: 1)
        #expect(none.realisedRate == 0 && none.intendedRate == 0 && none.emptyClasses == [0, 1])
        #expect(
            none.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}

/// The quirk of ELR and SOP.
struct NoiseInPlaceTests {
    /// r = .4: of the cats 40 % become dogs, and 40 % of those cats again: .4 − .16 = .24. Dogs
    /// become cats after the cats' turn: .40. Overall (.4 · 4 + .24)/10 = .184.
    @Test func expectation() throws {
        let noise = LabelNoise(.asymmetricInPlace, rate: 0.4, map: .cifar10)
        let matrix = try #require(try noise.intendedTransition(classCount: 10))
        #expect(abs(matrix[3][5] - 0.24) < 1e-12 && abs(matrix[3][3] - 0.76) < 1e-12)
        #expect(abs(matrix[5][3] - 0.4) < 1e-12)
        for (a, b) in [(2, 0), (4, 7), (9, 1)] { #expect(abs(matrix[a][b] - 0.4) < 1e-12) }
        let rate = (0..<10).reduce(0) { $0 + (1 - matrix[$1][$1]) / 10 }
        #expect(abs(rate - 0.184) < 1e-12)
    }

    @Test func realised() throws {
        let noisy = try LabelNoise(.asymmetricInPlace, rate: 0.4, map: .cifar10).apply(
            labels: cyclicLabels(50_000, 10), classCount: 10, seed: 2)
        // One pass each, so exact: 2,000 of 5,000.
        for (a, b) in [(2, 0), (4, 7), (9, 1)] { #expect(noisy.realisedTransition![a][b] == 0.4) }
        // Of the 7,000 labelled dog at the dogs' turn exactly 2,800 move.
        let moved = noisy.labels.filter { $0 == 3 }.count - 3_000
        #expect(moved == 2_800)
        // Which of them were cats is chance: hypergeometric, below the binomial of 2,000 and .4.
        expectShare(noisy.realisedTransition![3][5] / 0.4, 0.6, of: 2_000)
        expectShare(noisy.realisedTransition![5][3], 0.4, of: 5_000)
        #expect(abs(noisy.realisedRate! - 0.184) < 0.005)
        #expect(noisy.compatibility)
        #expect(
            noisy.warnings == [
                "asymmetric-elr-inplace is a compatibility mode: labels change class by class in "
                    + "place, so some change back and the realised rate is lower than asked for"
            ])
    }

    @Test func theShareOfAClassIsRoundedUp() throws {
        let noisy = try LabelNoise(.asymmetricInPlace, rate: 0.4, map: .cifar10).apply(
            labels: [9, 9, 9, 2], classCount: 10, seed: 2)
        #expect(noisy.labels.filter { $0 == 1 }.count == 2 && noisy.labels[3] == 0)
    }
}
