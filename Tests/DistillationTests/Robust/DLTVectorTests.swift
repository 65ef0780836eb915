import Testing

@testable import Training

/// The threshold of DLT by numbers.
@Suite struct DLTVectorTests {
    @Test func thresholdByNumbers() throws {
        let vector = try MethodVectors("dlt_reconstruction")
        let losses = try vector.numbers("losses")
        let split = LossThreshold(
            losses, labels: losses.map { _ in 0 }, rate: try vector.number("noise_rate"))
        #expect(split.trusted == (try vector.ints("labelled")))
        #expect(split.trusted.count == Int(try vector.number("keep")))
        #expect(split.threshold == (try vector.number("threshold")))
        #expect(split.notes.isEmpty)
    }

    /// Of equal losses the first rows; two at least; all of them where nothing is left out.
    @Test func howMany() {
        func trusted(_ losses: [Double], _ rate: Double) -> [Int] {
            LossThreshold(losses, labels: losses.map { _ in 0 }, rate: rate).trusted
        }
        #expect(trusted([3, 1, 1, 1, 2], 0.6) == [1, 2])
        #expect(trusted([3, 1, 2, 4], 0.99) == [1, 2])
        #expect(trusted([3, 1, 2, 4], 0) == [0, 1, 2, 3])
        #expect(trusted([2, 2, 2], 0) == [0, 1, 2])
        #expect(trusted([5], 0.5) == [0])
        // (1 − .8) · 10 is a little less than 2 in floating point.
        #expect(trusted((0..<10).map(Double.init), 0.8) == [0, 1])
        #expect(trusted((0..<10).map(Double.init), 0.7) == [0, 1, 2])
    }

    @Test func equalLossesTellNothing() {
        let split = LossThreshold([2, 2, 2], labels: [0, 1, 0], rate: 0.5)
        #expect(split.trusted == [0, 1, 2] && split.threshold == 2)
        #expect(split.notes == ["all losses are equal: all labels count as right"])
    }

    @Test func classesThatVanish() {
        let losses: [Double] = [1, 2, 3, 4, 11, 12, 13, 14]
        let labels = [0, 0, 0, 0, 1, 1, 1, 1]
        let whole = LossThreshold(losses, labels: labels, rate: 0.5)
        #expect(whole.trusted == [0, 1, 2, 3] && whole.threshold == 4)
        #expect(whole.notes == ["no label is trusted of 1 given classes"])
        let each = LossThreshold(losses, labels: labels, rate: 0.5, perClass: true)
        #expect(each.trusted == [0, 1, 4, 5] && each.threshold == 12 && each.notes.isEmpty)
        // One of each class.
        #expect(
            LossThreshold(losses, labels: labels, rate: 0.99, perClass: true).trusted == [0, 4])
        #expect(
            LossThreshold([2, 1, 3], labels: [0, 0, 0], rate: 0.9, perClass: true).trusted
                == [0, 1])
    }

    @Test func theRampMovesIt() {
        let options = DLTOptions(warmUp: 4, ramp: 8)
        #expect([0, 3.9, 4, 6, 12, 50].map { options.progress(at: $0) } == [0, 0, 0, 0.25, 1, 1])
    }
}
