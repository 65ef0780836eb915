import Diagnostics
import Randomness
import TestSupport
import Testing

@testable import Distillation

/// The mixture that tells small losses from large ones, and what a split does where there is nothing to tell.
@Suite struct LossMixtureTests {
    @Test func mixtureByNumbers() throws {
        let vector = try MethodVectors("gmm_small_loss")
        let mixture = try LossMixture(vector.numbers("raw_losses"), monotone: false)
        try expectClose(mixture.weights, vector.numbers("weights"), 1e-9, "weights")
        try expectClose(mixture.means, vector.numbers("means"), 1e-9, "means")
        try expectClose(mixture.variances, vector.numbers("variances"), 1e-9, "variances")
        try expectClose(mixture.clean, vector.numbers("p_clean"), 1e-9, "p")
        #expect(mixture.iterations == (try vector.ints("iterations"))[0])
        #expect(abs(mixture.logLikelihood - (try vector.number("lower_bound"))) < 1e-9)
        #expect(mixture.fault == nil)
    }

    /// Shifting or scaling losses changes nothing.
    @Test func onlyDifferencesCount() throws {
        let losses = try MethodVectors("gmm_small_loss").numbers("raw_losses")
        let mixture = try LossMixture(losses)
        for (scale, shift) in [(2.0, 0.0), (0.25, -3), (1e300, 0)] {
            let other = try LossMixture(losses.map { $0 * scale + shift })
            try expectClose(other.clean, mixture.clean, 1e-9)
        }
    }

    /// A wide left hump claims what lies left and right of it; made monotone, p falls with the loss.
    @Test func monotone() throws {
        var draw = Draw(seed: 3, .tests)
        var wasNeeded = 0
        for _ in 0..<200 {
            let wide = (0..<40).map { _ in draw.uniform() }
            let narrow = (0..<60).map { _ in 0.6 + 0.02 * draw.normal() }
            let losses = (wide + narrow + [-0.5, 1.6]).sorted()
            let plain = try LossMixture(losses, monotone: false).clean
            let p = try LossMixture(losses).clean
            if plain != plain.sorted(by: >) { wasNeeded += 1 }
            #expect(p == p.sorted(by: >))
        }
        #expect(wasNeeded > 10, "else nothing was tried: \(wasNeeded)")
    }

    @Test func faults() throws {
        #expect(try LossMixture([]).fault == .tooFew)
        #expect(try LossMixture([2]).clean == [1])
        let equal = try LossMixture([2, 2, 2])
        #expect(equal.fault == .equal && equal.clean == [1, 1, 1])
        // One sample of ten thousand is no hump.
        let one = try LossMixture((0..<10_000).map { 1e-4 * Double($0 % 10) } + [100])
        #expect(one.fault == .oneComponent && one.clean.allSatisfy { $0 == 1 })
        #expect(
            try LossMixture([-.greatestFiniteMagnitude, .greatestFiniteMagnitude]).fault == nil)
        for bad in [Double.nan, .infinity, -.infinity] {
            let said = #expect(throws: Problem.self) { try LossMixture([1, 2, bad]) }
            #expect(
                said?.description
                    == "sample 2: a loss is not finite: found \(bad), expected a number that can be "
                    + "compared with others")
        }
    }

    // MARK: Splits

    private let losses = [0.1, 0.2, 0.15, 3, 3.1, 2.9, 0.12, 2.8]

    @Test func aSplitSelectsTheSmallLosses() throws {
        let split = try LossSplit(losses, labels: [0, 0, 1, 1, 0, 1, 1, 0], classes: 2)
        #expect(split.selected == [0, 1, 2, 6])
        #expect(split.notes.isEmpty && !split.isKept)
    }

    @Test func whereNothingIsToldTheLastSplitIsKept() throws {
        let equal = [Double](repeating: 1, count: 4)
        let labels = [0, 0, 1, 1]
        let first = try LossSplit(equal, labels: labels, classes: 2)
        #expect(first.selected == [0, 1, 2, 3] && !first.isKept)
        #expect(first.notes == ["all losses are equal: all labels count as right"])
        let next = try LossSplit(
            equal, labels: labels, classes: 2, previous: [0.9, 0.1, 0.8, 0.2])
        #expect(next.selected == [0, 2] && next.isKept)
        #expect(next.notes == ["all losses are equal: the last split is kept"])
        // Nor is a split of one sample taken.
        let single = try LossSplit(
            [0, 5, 5.1, 4.9, 5, 5.2], labels: [0, 1, 0, 1, 0, 1], classes: 2,
            previous: [1, 1, 1, 1, 0, 0])
        #expect(single.selected == [0, 1, 2, 3] && single.isKept)
        #expect(single.notes == ["1 samples would be selected: the last split is kept"])
        // Even if the last one would select nothing.
        let none = try LossSplit(
            equal, labels: labels, classes: 2, previous: [0, 0, 0, 0])
        #expect(none.selected == [0, 1, 2, 3])
    }

    /// Class 1 is harder: its right labels have the losses of class 0's wrong ones.
    @Test func perClass() throws {
        let easy = [0.1, 0.12, 0.14, 2, 2.1, 2.05]
        let hard = [2.0, 2.1, 2.2, 6, 6.1, 6.2]
        let labels = [Int](repeating: 0, count: 6) + [Int](repeating: 1, count: 6)
        let each = try LossSplit(
            easy + hard, labels: labels, classes: 2, options: .init(perClass: true))
        #expect(each.selected == [0, 1, 2, 6, 7, 8])
        let whole = try LossSplit(easy + hard, labels: labels, classes: 2)
        #expect(whole.selected != each.selected)
    }

    /// A class whose own losses say nothing goes by all of them; one without a selected sample is named.
    @Test func aClassThatVanishes() throws {
        let losses = [0.1, 0.2, 0.15, 3, 3.1, 2.9, 2.9, 2.9]
        let labels = [0, 0, 0, 0, 0, 0, 2, 2]
        let split = try LossSplit(
            losses, labels: labels, classes: 3, options: .init(perClass: true))
        #expect(split.selected == [0, 1, 2])
        #expect(
            split.notes == [
                "split with all others, not by itself: given class 2",
                "no sample is selected of given class 2",
            ])
    }

    @Test func options() throws {
        func decoded(_ json: String) throws -> LossSplitOptions {
            try JSON.read(LossSplitOptions.self, json.utf8)
        }
        #expect(try decoded("{}") == LossSplitOptions())
        #expect(try decoded("{\"per-class\": true}").perClass)
        #expect(throws: Problem.self) { try decoded("{\"threshold\": 1}") }
    }
}
