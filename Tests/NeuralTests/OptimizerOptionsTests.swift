import Diagnostics
import Foundation
import Testing

@testable import Neural

extension NeuralTests {
    @Suite struct OptimizerOptionsTests {
        private func decode(_ json: String) throws -> OptimizerOptions {
            try JSONDecoder().decode(OptimizerOptions.self, from: Data(json.utf8))
        }

        @Test func absentKeysTakeTheDefaultsOfTheKind() throws {
            #expect(try decode("{}") == OptimizerOptions())
            let sgd = try decode(#"{"kind":"sgd"}"#)
            #expect(sgd.learningRate == 0.1 && sgd.momentum == 0.9 && sgd.weightDecay == 0)
            let adamw = try decode(#"{"kind":"adamw"}"#)
            #expect(
                adamw.learningRate == 0.001 && adamw.weightDecay == 0.01 && adamw.beta2 == 0.999)
            #expect(try decode(#"{"kind":"adamw","weight-decay":0}"#).weightDecay == 0)
            #expect(try decode(#"{"kind":"adam"}"#).weightDecay == 0)
        }

        @Test func roundTripsEveryKey() throws {
            let options = OptimizerOptions(
                kind: .adam, learningRate: 0.5, momentum: 0.25, nesterov: true, weightDecay: 0.125,
                beta1: 0.75,
                beta2: 0.625, eps: 0.0625, clipNorm: 3, decayNormAndBias: false)
            let data = try JSONEncoder().encode(options)
            #expect(try JSONDecoder().decode(OptimizerOptions.self, from: data) == options)
            let keys = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any]).keys
            #expect(
                keys.sorted() == [
                    "beta1", "beta2", "clip-norm", "decay-norm-and-bias", "eps", "kind",
                    "learning-rate",
                    "momentum", "nesterov", "weight-decay",
                ])
        }

        @Test func refusesWhatIsOutOfRange() throws {
            func sentence(_ change: (inout OptimizerOptions) -> Void) -> String? {
                var options = OptimizerOptions()
                change(&options)
                do throws(Problem) {
                    try options.validate(at: .file("r.yaml", "optimizer"))
                    return nil
                } catch { return error.description }
            }
            let at = "r.yaml, optimizer: "
            #expect(sentence { _ in } == nil)
            #expect(
                sentence { $0.learningRate = 0 }
                    == at + "learning-rate is out of range: found 0.0, expected a number above 0")
            #expect(
                sentence { $0.momentum = 1 }
                    == at + "momentum is out of range: found 1.0, expected a number in [0, 1)")
            #expect(
                sentence { $0.weightDecay = -1 }
                    == at + "weight-decay is out of range: found -1.0, expected a number at least 0"
            )
            #expect(
                sentence { $0.beta1 = -0.5 }
                    == at + "beta1 is out of range: found -0.5, expected a number in [0, 1)")
            #expect(
                sentence { $0.beta2 = 1.5 }
                    == at + "beta2 is out of range: found 1.5, expected a number in [0, 1)")
            #expect(
                sentence { $0.eps = 0 }
                    == at + "eps is out of range: found 0.0, expected a number above 0")
            #expect(
                sentence { $0.clipNorm = .infinity }
                    == at + "clip-norm is out of range: found inf, expected a number above 0")
            #expect(
                sentence { $0.learningRate = .nan }
                    == at + "learning-rate is out of range: found nan, expected a number above 0")
            #expect(
                sentence {
                    $0.nesterov = true
                    $0.momentum = 0
                }
                    == at + "nesterov needs momentum: found momentum 0, expected momentum above 0 "
                    + "(set momentum: 0.9, or nesterov: false)")
        }
    }
}
