import Distillation
import Files
import Foundation
import Models
import Neural
import TestSupport
import Testing
import Torch

@testable import Training

/// `teacher: {method: …}`: whatever a method trains teaches the others.
@Suite(.takesTurns) struct TeacherMethodTests {
    private static let robust = "{name: early-learning, lambda: 1}"

    private func chain(_ changes: String...) throws -> [PhaseSpec] {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        return try file.decoded(Recipe.self).phases(dataHash: "d", compute: Tiny.compute) { _ in
            "h"
        }
    }

    private func names(_ chain: [PhaseSpec]) -> [String] { chain.map { "\($0.index)-\($0.name)" } }

    /// The phases are those that the method has by itself, with the teacher's network.
    @Test func phasesAreShared() throws {
        let own = try chain("method=\(Self.robust)", "model.hidden=[32]")
        let taught = try chain(
            "method={name: distillation, teacher: {model: {name: mlp, hidden: [32]}, method: \(Self.robust)}}"
        )
        #expect(names(taught) == ["0-teacher", "1-student"] && taught[0].key == own[0].key)
        #expect(taught[1].model.hidden == [16])
        // Cross-entropy by name is the usual teacher.
        let usual = try chain("method={name: distillation}")
        let named = try chain(
            "method={name: distillation, teacher: {method: {name: cross-entropy}}}")
        #expect(usual.map(\.key) == named.map(\.key))

        let stages = try chain("method={name: self-distillation, stages: 2}")
        let long = try chain(
            "method={name: distillation, teacher: {method: {name: self-distillation, stages: 2}}}")
        #expect(
            names(long) == ["0-teacher-stage-0", "1-teacher-stage-1", "2-teacher", "3-student"])
        #expect(long.prefix(3).map(\.key) == stages.map(\.key))

        let behind = try chain(
            "method={name: self-distillation, stages: 2, teacher: {method: \(Self.robust)}}")
        #expect(names(behind) == ["0-stage-0", "1-stage-1", "2-stage-2"])
        let mutual = try chain("method={name: mutual, teacher: {method: \(Self.robust)}}")
        #expect(names(mutual) == ["0-teacher", "1-peers"])
        let mixed = try chain(
            "method={name: adaptive-mixing, teachers: [{method: \(Self.robust)}, {method: \(Self.robust)}, {}]}"
        )
        #expect(names(mixed) == ["0-teacher-1", "0-teacher-2", "3-teacher-3", "1-student"])
        #expect(Set(mixed.map(\.key)).count == 4, "teachers of one kind differ")
        let guided = try chain("relation={ramp: 0, teacher: {method: \(Self.robust)}}")
        #expect(names(guided) == ["0-relations", "0-student"])
        // The student guided by the network that it is itself trained as.
        let same = try chain(
            "method={name: distillation, teacher: {method: \(Self.robust)}}",
            "relation={ramp: 0, teacher: {method: \(Self.robust)}}")
        #expect(names(same) == ["0-teacher", "1-student"])
    }

    @Test(arguments: [
        "method={name: distillation, teacher: {method: {name: co-teaching, forget-rate: 0.3}}}",
        "method={name: self-distillation, teacher: {method: {name: co-teaching, forget-rate: 0.3}}}",
        "method={name: mutual, teacher: {method: {name: co-teaching, forget-rate: 0.3}}}",
    ])
    func theBestOfItsNetworksTeaches(_ method: String) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe(method), scratch("run"))
            let phases = try run.train().scores.phases
            #expect(phases.count == 2 && phases[0].peers != nil)
            #expect(
                phases[1].value("teacher-accuracy") == phases[0].student.selected.test.accuracy)
            #expect(
                try Tiny.differences(
                    afterStop: 10, of: Tiny.recipe(method), scratch) == [])
        }
    }

    /// On a table, where there is no encoder without labels.
    @Test func aTeacherGuidesWhereNoEncoderCan() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "data={kind: gaussian-classes, samples: 300}",
                "relation={ramp: 0, teacher: {method: \(Self.robust)}}")
            let phases = try Tiny.run(recipe, scratch("run")).train().scores.phases
            #expect(phases.map(\.name) == ["relations", "student"])
            let plain = try Tiny.run(
                Tiny.recipe("data={kind: gaussian-classes, samples: 300}"), scratch("plain")
            ).train()
            #expect(phases[1].student != plain.scores.phases[0].student)
        }
    }

    /// By hand: with a teacher the mean is over the other peers and the teacher.
    @Test func theTeacherIsOneMorePeer() throws {
        try withNoLeaks {
            let table = Tensor([1, 0, -1, 0.5, 2, 0] as [Float], [2, 3])
            let network = try ModelRegistry.make(
                ModelSpec(name: "mlp", hidden: []), sampleShape: [4], classes: 3, seed: 0)
            let teacher = TeacherOutputs(Frozen(network), table: table)
            let options = MutualLearningOptions(divergence: .kl)
            let own = Logits(Tensor([0.3, -0.2, 1, 0, 0, 2] as [Float], [2, 3]))
            let peer = Logits(Tensor([1, 1, 0, 0, -1, 0] as [Float], [2, 3]))
            let outputs = [own, peer].map { StudentOutput(features: $0.tensor, logits: $0) }
            let batch = TrainingBatch(
                inputs: Tensor([Float](repeating: 0, count: 8), [2, 4]),
                labels: Tensor([0, 1] as [Int], [2]), rows: Tensor([0, 1] as [Int], [2]),
                isPlain: true)
            func divergence(_ objective: MutualObjective) -> [Float] {
                objective.losses(of: 0, outputs, batch).terms[1].values.floats()
            }
            func kl(_ target: Logits) -> [Float] {
                kullbackLeibler(target.logProbabilities(), own.logProbabilities()).floats()
            }
            let with = divergence(MutualObjective(options, teacher: teacher))
            for (value, (a, b)) in zip(with, zip(kl(peer), kl(Logits(table)))) {
                #expect(abs(value - (a + b) / 2) < 1e-6)
            }
            for (value, a) in zip(divergence(MutualObjective(options)), kl(peer)) {
                #expect(abs(value - a) < 1e-6)
            }
        }
    }

    @Test func sentences() {
        func said(_ changes: String...) -> String {
            failure {
                var file = try RecipeFile(text: Tiny.text, file: "tiny")
                for change in changes { file = try file.setting(change) }
                _ = try file.decoded(Recipe.self)
            }
        }
        #expect(
            said(
                "method={name: distillation, teacher: {file: t.safetensors, method: {name: mutual}}}"
            )
            .contains("method.teacher.method: value out of range: found a method beside a file"))
        #expect(
            said("method={name: distillation, teacher: {method: {name: data-free}}}").contains(
                "expected a method that learns from the data"))
        #expect(
            said("method={name: mutual, teacher: {method: {name: distillation, temperature: 0}}}")
                .contains("temperature > 0"))
        #expect(
            said("relation={teacher: {}, encoder: {epochs: 2}}").contains(
                "relation.teacher: value out of range: found a teacher beside an encoder"))
        #expect(
            said("method={name: self-distillation, stages: auto, teacher: {file: t.safetensors}}")
                .contains("expected a number, or a teacher that is trained here"))
        #expect(
            said(
                "method={name: self-distillation, start: previous, teacher: {model: {name: lenet5}}}"
            )
            .contains("expected one network for both"))
        #expect(
            said("method={name: distillation, teacher: {method: {name: nothing}}}").contains(
                "nothing"))
    }
}
