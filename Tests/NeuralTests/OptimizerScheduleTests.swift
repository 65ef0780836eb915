import Diagnostics
import Foundation
import TestSupport
import Testing
import Torch

@testable import Neural

extension NeuralTests {
    @Suite struct OptimizerScheduleTests {
        /// 8 epochs of 5 steps, as in the fixture.
        private func factors(_ schedule: Schedule, past: Int = 0) -> [Double] {
            (0..<40 + past).map { schedule.rate(step: $0, stepsPerEpoch: 5, epochs: 8) }
        }

        static let cases: [String: Schedule] = [
            "multi-step": Schedule(.multiStep, milestones: [2, 4, 7], factor: 0.2),
            "cosine": Schedule(.cosine),
            "cosine-floor": Schedule(.cosine, floor: 0.05),
            "cosine-warm": Schedule(.cosine, warmUp: 2),
        ]

        @Test(arguments: cases.keys.sorted()) func equalsPyTorch(_ name: String) throws {
            try withNoLeaks {
                let reference = try FixtureFile("optimizers", in: .module).tensor(
                    "schedule.\(name)")
                try expectClose(
                    factors(OptimizerScheduleTests.cases[name]!), reference.doubles(), 1e-12, name)
            }
        }

        @Test func constantIsOne() {
            #expect(factors(Schedule(.constant), past: 5).allSatisfy { $0 == 1 })
        }

        @Test func warmUpRisesByEqualParts() {
            let warm = Schedule(.constant, warmUp: 0.8)  // 4 steps of 5
            #expect(factors(warm).prefix(6) == [0.25, 0.5, 0.75, 1, 1, 1])
            // A milestone inside the warm-up counts at once.
            let both = Schedule(.multiStep, milestones: [0.4], factor: 0.5, warmUp: 0.8)
            #expect(factors(both).prefix(6) == [0.25, 0.5, 0.375, 0.5, 0.5, 0.5])
        }

        @Test func milestonesAtFractionsOfAnEpoch() {
            let schedule = Schedule(.multiStep, milestones: [0.6, 1.2], factor: 0.1)
            let values = factors(schedule).prefix(8)
            #expect(
                zip(values, [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01]).allSatisfy {
                    abs($0 - $1) < 1e-15
                })
        }

        /// cos(π/3) = 1/2, cos(π/2) = 0.
        @Test func cosineAtKnownAngles() {
            func at(_ step: Int) -> Double {
                Schedule(.cosine, floor: 0.2).rate(step: step, stepsPerEpoch: 6, epochs: 1)
            }
            #expect(at(0) == 1)
            #expect(abs(at(2) - 0.8) < 1e-15)
            #expect(abs(at(3) - 0.6) < 1e-15)
            #expect(abs(at(6) - 0.2) < 1e-15)
            #expect(abs(at(60) - 0.2) < 1e-15)
        }

        /// 1,000 schedules drawn at random: always in [0, 1], never a trap, also in degenerate runs.
        @Test func staysBetweenZeroAndOne() {
            var random = SystemRandomNumberGenerator()
            for _ in 0..<1000 {
                let schedule = Schedule(
                    Schedule.Kind.allCases.randomElement(using: &random)!,
                    milestones: [.random(in: 0...3), .random(in: 3...9)],
                    factor: .random(in: 0.01...1),
                    floor: .random(in: 0...1), warmUp: .random(in: 0...12))
                let rate = schedule.rate(
                    step: .random(in: 0...100), stepsPerEpoch: .random(in: 0...7),
                    epochs: .random(in: 0...9))
                #expect((0...1).contains(rate), "\(schedule)")
            }
        }

        @Test func decodesAndRefuses() throws {
            let json = #"{"kind":"multi-step","milestones":[30,60],"warm-up":1}"#
            let decoded = try JSONDecoder().decode(Schedule.self, from: Data(json.utf8))
            #expect(decoded == Schedule(.multiStep, milestones: [30, 60], warmUp: 1))
            #expect(try JSONDecoder().decode(Schedule.self, from: Data("{}".utf8)) == Schedule())

            func sentence(_ schedule: Schedule) -> String? {
                do throws(Problem) {
                    try schedule.validate(at: .file("r.yaml", "schedule"))
                    return nil
                } catch { return error.description }
            }
            let at = "r.yaml, schedule: "
            #expect(sentence(decoded) == nil)
            #expect(
                sentence(Schedule(warmUp: -1))
                    == at + "warm-up is out of range: found -1.0, expected a number at least 0")
            #expect(
                sentence(Schedule(.multiStep, factor: 0))
                    == at + "factor is out of range: found 0.0, expected a number in (0, 1]")
            #expect(
                sentence(Schedule(floor: 2))
                    == at + "floor is out of range: found 2.0, expected a number in [0, 1]")
            #expect(
                sentence(Schedule(.multiStep, milestones: [3, 3]))
                    == at
                    + "milestones must rise: found [3.0, 3.0], expected positive epochs, each "
                    + "after the one before")
        }
    }
}
