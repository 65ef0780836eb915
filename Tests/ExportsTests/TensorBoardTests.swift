import Diagnostics
import Files
import Foundation
import Report
import Synchronization
import TestSupport
import Testing
import Torch
import Training

@testable import EventFiles
@testable import Exports

private final class Steps: Sendable {
    private let state = Mutex(0)

    var value: Int { state.withLock { $0 } }

    func count() { state.withLock { $0 += 1 } }
}

/// What TensorBoard is told of a run, whole or in pieces.
@Suite(.takesTurns) struct TensorBoardTests {
    private static let text = """
        data: {kind: embedded, limit: 200}
        noise: {kind: symmetric, rate: 0.3}
        model: {name: mlp, hidden: [16]}
        method: {name: self-distillation, stages: 1}
        optimizer: {learning-rate: 0.02}
        training: {epochs: 3, batch: 64, checkpoint-steps: 2, ema: 0.9, logs: tensorboard}
        """

    private func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("limbeck-tests-\(UUID())").path
        try LocalFileSystem().createDirectory(path)
        return path
    }

    private func train(
        _ recipe: Recipe, in folder: String, stopping: Int? = nil
    ) throws -> TensorBoardLog {
        let log = TensorBoardLog(
            folder: "\(folder)/tensorboard",
            store: PhaseStore("\(folder)/phases", named: true), recipe: recipe.yaml,
            time: { 1.7e9 })
        var environment = TrainingEnvironment()
        let steps = Steps()
        environment.observe = { event in
            log.observe(event)
            if case .step = event { steps.count() }
        }
        environment.shouldStop = { stopping == steps.value }
        let run = try Run(
            recipe, folder: folder, compute: ComputeOptions(threads: 1), environment: environment)
        if stopping == nil {
            _ = try run.train()
        } else {
            #expect(throws: Problem.self) { _ = try run.train() }
        }
        #expect(log.failure == nil)
        return log
    }

    private func events(_ folder: String, _ phase: String) throws -> [Event] {
        let path = "\(folder)/tensorboard/\(phase)"
        let name = try #require(EventLog.name(in: path))
        let records = EventRecords(try readFile("\(path)/\(name)"))
        #expect(records.fault == nil && records.hasVersion)
        return records.events
    }

    /// Stopped at any step, and its log torn or gone, a resumed run has every epoch once.
    @Test func everyEpochOnce() throws {
        Engine.threads = 1
        let recipe = try RecipeFile(text: Self.text, file: "tiny").decoded(Recipe.self)
        let whole = try folder()
        defer { try? LocalFileSystem().remove(whole) }
        _ = try train(recipe, in: whole)
        let phases = try FileManager.default.contentsOfDirectory(atPath: "\(whole)/phases").sorted()
        #expect(phases == ["0-stage-0", "1-stage-1"])
        for phase in phases {
            let events = try events(whole, phase)
            #expect(events[0].step == 0 && events[0].entries[0].tag == "recipe")
            let lines = try readFile("\(whole)/phases/\(phase)/metrics.jsonl").split(separator: 10)
            #expect(events.count == 1 + lines.count && lines.count == 3)
            for (event, line) in zip(events.dropFirst(), lines) {
                let metrics = try JSON.read(EpochMetrics.self, line)
                #expect(event.step == metrics.step)
                #expect(event.entries.first == .init("loss/total", .scalar(Float(metrics.loss))))
                #expect(
                    event.entries.contains(
                        .init("accuracy/validation", .scalar(Float(metrics.validation.accuracy)))))
                #expect(event.entries.contains { $0.tag == "learning-rate" })
            }
        }
        for (stop, tear) in [(1, 0), (4, 5), (7, 0), (11, 3), (8, -1)] {
            let cut = try folder()
            defer { try? LocalFileSystem().remove(cut) }
            _ = try train(recipe, in: cut, stopping: stop)
            for phase in phases {
                let path = "\(cut)/tensorboard/\(phase)"
                guard let name = EventLog.name(in: path) else { continue }
                let bytes = try readFile("\(path)/\(name)")
                if tear < 0 { try LocalFileSystem().remove(path) }
                if tear > 0 {
                    try LocalFileSystem().truncate("\(path)/\(name)", to: bytes.count - tear)
                }
            }
            _ = try train(recipe, in: cut)
            for phase in phases {
                let (one, other) = (try events(whole, phase), try events(cut, phase))
                #expect(one == other, "stopped at step \(stop)")
            }
        }
    }

    /// Logs are no part of what a phase is.
    @Test func noKeyDependsOnLogs() throws {
        let file = try RecipeFile(text: Self.text, file: "tiny")
        let with = try file.decoded(Recipe.self)
        let without = try RecipeFile(
            text: Self.text.replacing(", logs: tensorboard", with: ""), file: "tiny"
        ).decoded(Recipe.self)
        #expect(with.training.logs == .tensorboard && without.training.logs == nil)
        func keys(_ recipe: Recipe) throws -> [String] {
            try recipe.phases(dataHash: "x", compute: ComputeOptions(threads: 1)) { _ in "" }
                .map(\.key)
        }
        #expect(try keys(with) == keys(without))
        #expect(!without.yaml.contains("logs") && with.yaml.contains("logs: tensorboard"))
        #expect(throws: Problem.self) {
            try file.setting("training.logs=wandb").decoded(Recipe.self)
        }
    }
}
