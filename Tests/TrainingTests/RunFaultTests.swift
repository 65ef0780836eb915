import Diagnostics
import Files
import Foundation
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Training

/// Whole runs on disks that fail: one line that names the path, and a folder that resumes to the
/// bytes of a run that met no fault.
@Suite(.serialized, .takesTurns) struct RunFaultTests {
    private func environment(_ files: any FileSystem) -> TrainingEnvironment {
        var environment = TrainingEnvironment()
        environment.files = files
        return environment
    }

    @Test(arguments: [FaultyFileSystem.Fault.Kind.failure, .powerLoss])
    func everyCallMayFail(_ kind: FaultyFileSystem.Fault.Kind) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe()
            let counted = FaultyFileSystem()
            _ = try Tiny.run(recipe, scratch("whole"), environment(counted)).train()
            let whole = try Tiny.content(scratch("whole"))
            #expect(counted.callCount > 60)
            // The fault at every call of a save is CheckpointFaultTests' part; whole runs take longer,
            // and each kind of fault meets a third of the calls.
            for call in stride(from: kind == .failure ? 0 : 1, to: counted.callCount, by: 3) {
                let folder = scratch("faulty")
                try LocalFileSystem().remove(folder)
                let files = FaultyFileSystem(.init(kind, atCall: call, halfWritten: call % 4 < 2))
                let said = failure { try Tiny.run(recipe, folder, environment(files)).train() }
                let operation = counted.calls[call].split(separator: " ")[0]
                #expect(said.hasPrefix(folder), "\(said)")
                #expect(said.hasSuffix("cannot \(operation): planned fault at call \(call)"))
                _ = try Tiny.run(recipe, folder).train()
                let after = try Tiny.content(folder)
                let differences = Set(whole.keys).union(after.keys).filter {
                    whole[$0] != after[$0]
                }
                #expect(differences == [], "\(counted.calls[call])")
            }
        }
    }

    /// A file where the folder should be stands for every folder that cannot be written: as root,
    /// tests are not stopped by permissions.
    @Test func unwritableFolder() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            try LocalFileSystem().write([1], to: scratch("file"))
            let said = failure { try Tiny.run(Tiny.recipe(), scratch("file/run")).train() }
            #expect(said == "\(scratch("file/run")): cannot create the folder: Not a directory")
        }
    }

    #if os(Linux)
        /// /dev/full takes no byte: what a full disk says.
        @Test func fullDisk() throws {
            try withNoLeaks {
                let scratch = try Scratch()
                let recipe = try Tiny.recipe()
                try LocalFileSystem().createDirectory(scratch("run/phases/0-student"))
                try FileManager.default.createSymbolicLink(
                    atPath: scratch("run/phases/0-student/last.safetensors"),
                    withDestinationPath: "/dev/full")
                let said = failure { try Tiny.run(recipe, scratch("run")).train() }
                let path = scratch("run/phases/0-student/last.safetensors")
                #expect(said == "\(path): cannot write: No space left on device")
                let store = CheckpointStore(
                    folder: scratch("run/phases/0-student/checkpoints"), files: LocalFileSystem())
                #expect(try store.load()?.record.step == 6, "the checkpoint before is intact")
            }
        }
    #endif

    /// A clock that goes one second per look, stopped for an hour between two processes.
    @Test func timesOfEpochsOutliveAnInterruption() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            var environment = TrainingEnvironment()
            let (steps, looks) = (Steps(), Steps())
            environment.observe = { if case .step = $0 { steps.count() } }
            environment.clock = {
                looks.count()
                return Double(looks.value)
            }
            environment.shouldStop = { steps.value == 5 }
            let recipe = try Tiny.recipe("training.epochs=3")
            #expect(failure { try Tiny.run(recipe, scratch("run"), environment).train() } != nil)
            environment.shouldStop = { false }
            for _ in 0..<3600 { looks.count() }
            let run = try Tiny.run(recipe, scratch("run"), environment)
            _ = try run.train()
            let timing = try #require(PhaseTiming(folder: scratch("run/phases/0-student")))
            let epochs = try #require(timing.epochs)
            try #require(epochs.count == 3)
            #expect(epochs[0] > 0 && epochs == epochs.sorted())
            #expect(epochs[2] <= timing.seconds && timing.seconds < 100)
        }
    }

    /// Metrics shorter than their checkpoint knows: never padded with zeros.
    @Test func lostMetricsAreSaid() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            var environment = TrainingEnvironment()
            let steps = Steps()
            environment.observe = { if case .step = $0 { steps.count() } }
            environment.shouldStop = { steps.value == 5 }
            let recipe = try Tiny.recipe()
            let said = failure { try Tiny.run(recipe, scratch("run"), environment).train() }
            let phase = scratch("run/phases/0-student")
            #expect(
                said
                    == "interrupted (checkpoint \(phase)/checkpoints/step-000000000005; continue with --resume)"
            )
            let metrics = "\(phase)/metrics.jsonl"
            let length = try readFile(metrics).count
            try LocalFileSystem().truncate(metrics, to: length - 1)
            #expect(
                failure { try Tiny.run(recipe, scratch("run")).train() }
                    == "\(metrics): the checkpoint is damaged: \(length - 1) bytes where the checkpoint "
                    + "knows \(length) (restore it from a copy, or add --remake to make it again)")
        }
    }
}

/// A counter that closures of an environment share.
final class Steps: Sendable {
    private let steps = Mutex(0)
    var value: Int { steps.withLock { $0 } }
    func count() { steps.withLock { $0 += 1 } }
}
