import Diagnostics
import Files
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// A fault at every call of a save: what is left loads as the checkpoint before or as the new one.
@Suite(.serialized, .takesTurns) struct CheckpointFaultTests {
    private static let kinds: [FaultyFileSystem.Fault.Kind] = [.failure, .stop, .powerLoss]

    private func record(_ step: Int) -> CheckpointRecord {
        CheckpointRecord(
            key: "k", step: step, epoch: 1, stepInEpoch: step, learners: [LearnerRecord()],
            metricsBytes: 7 * step, metrics: "", seconds: 1.5, tensors: "")
    }

    /// Different content and different sizes at each step.
    private func tensors(_ step: Int) -> [(name: String, tensor: Tensor)] {
        let values = (0..<100 + step).map { Float($0 * step) }
        return [
            ("student/w", Tensor(values, [values.count])), ("optimizer/t", Tensor([step], [1])),
        ]
    }

    /// The step of what loads, after checking that all of it belongs together; 0 for nothing.
    private func loadedStep(_ folder: String) throws -> Int {
        let store = CheckpointStore(folder: folder, files: LocalFileSystem())
        guard let (found, tensors, path) = try store.load() else { return 0 }
        var expected = record(found.step)
        expected.tensors = found.tensors
        #expect(found == expected)
        #expect(path.hasSuffix("step-\(String(format: "%012d", found.step))"))
        for (name, tensor) in self.tensors(found.step) {
            try expectClose(try #require(tensors[name]), tensor, 0, name)
        }
        return found.step
    }

    @Test(arguments: [false, true]) func previousOrNew(hasPrevious: Bool) throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let base = scratch("base")
            let clean = CheckpointStore(folder: base, files: LocalFileSystem())
            if hasPrevious { try clean.save(record(3), tensors(3)) }
            let counted = FaultyFileSystem()
            if hasPrevious { try copy(base, scratch("counted")) }
            try CheckpointStore(folder: scratch("counted"), files: counted).save(
                record(6), tensors(6))
            let operations = Set(counted.calls.map { String($0.split(separator: " ")[0]) })
            #expect(operations.isSuperset(of: ["createDirectory", "write", "sync", "rename"]))
            var seen: Set<Int> = []
            for call in 0..<counted.callCount {
                for kind in Self.kinds {
                    for half in [false, true] {
                        let folder = scratch("case")
                        try LocalFileSystem().remove(folder)
                        if hasPrevious { try copy(base, folder) }
                        let files = FaultyFileSystem(.init(kind, atCall: call, halfWritten: half))
                        let store = CheckpointStore(folder: folder, files: files)
                        let said = failure { try store.save(record(6), tensors(6)) }
                        #expect(said.contains("planned fault at call \(call)"))
                        let step = try loadedStep(folder)
                        #expect(
                            step == 6 || step == (hasPrevious ? 3 : 0),
                            "\(counted.calls[call]), \(kind), half \(half)")
                        seen.insert(step)
                        // Saving again after whatever is left, as a resumed run does.
                        try CheckpointStore(folder: folder, files: LocalFileSystem())
                            .save(record(6), tensors(6))
                        #expect(try loadedStep(folder) == 6)
                        #expect(
                            try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
                    }
                }
            }
            #expect(seen == [hasPrevious ? 3 : 0, 6], "both outcomes occur")
        }
    }

    private func copy(_ a: String, _ b: String) throws {
        try FileManager.default.copyItem(atPath: a, toPath: b)
    }

    /// A damaged newest checkpoint is said, not passed over.
    @Test func damageIsSaid() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let store = CheckpointStore(folder: scratch.path, files: LocalFileSystem())
            let path = try store.save(record(3), tensors(3))
            let file = "\(path)/tensors.safetensors"
            let intact = try readFile(file)
            var bytes = intact
            bytes[bytes.count - 1] ^= 1
            try LocalFileSystem().write(bytes, to: file)
            #expect(
                failure { try store.load() }
                    == "\(file): the checkpoint is damaged: its content does not match its record "
                    + "(restore it from a copy, or add --remake to make it again)")
            try LocalFileSystem().write(Array(intact.dropLast()), to: file)
            #expect(failure { try store.load() }.contains("does not match its record"))
            try LocalFileSystem().write(intact, to: file)
            #expect(try store.load()?.record.step == 3)
            try LocalFileSystem().write(Array("{}".utf8), to: "\(path)/checkpoint.json")
            #expect(
                failure { try store.load() }
                    == "\(path)/checkpoint.json: made by an older version of this program, whose records "
                    + "carry no hashes (add --remake to make it again, or give another --out)")
        }
    }
}
