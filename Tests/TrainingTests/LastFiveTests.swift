import Diagnostics
import Testing
import Training

struct LastFiveTests {
    private func epochs(_ accuracies: [Double], ema: Double? = nil) throws -> [EpochMetrics] {
        try accuracies.enumerated().map { i, accuracy in
            func scores(_ value: Double) -> String { #"{"accuracy":\#(value),"nll":1,"ece":0}"# }
            let average = ema.map { #","emaTest":\#(scores($0))"# } ?? ""
            return try JSON.read(
                EpochMetrics.self,
                Array(
                    #"{"phase":"p","epoch":\#(i + 1),"step":1,"learningRate":1,"loss":1,"terms":{},"#
                        .utf8)
                    + Array(
                        #""validation":\#(scores(0)),"test":\#(scores(accuracy))\#(average)}"#.utf8)
            )
        }
    }

    @Test func isTheMeanOfTheLastFive() throws {
        #expect(try epochs([0, 0.125, 0.25, 0.375, 0.5, 0.75]).lastFive(ema: false) == 0.4)
        #expect(try epochs([0.5, 0.5, 0.5, 0.5, 0.5], ema: 0.25).lastFive(ema: true) == 0.25)
        #expect(try epochs([0.5, 0.5, 0.5, 0.5, 0.5]).lastFive(ema: true) == 0.5)
    }

    @Test func isUnknownWithFewer() throws {
        #expect(try epochs([1, 1, 1, 1]).lastFive(ema: false) == nil)
    }
}
