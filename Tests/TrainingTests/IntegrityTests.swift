import Diagnostics
import Files
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// Nothing in a run's folder is believed before its hash is compared, and no number of a record before
/// it is compared with what its phase allows.
@Suite(.serialized, .takesTurns) struct IntegrityTests {
    private static let restore = "(restore it from a copy, or add --remake to make it again)"

    // MARK: Records

    private struct Small: Codable, Equatable {
        var name = "a record"
        var values = [0.5, 1]
    }

    @Test func everyBitOfARecordCounts() throws {
        let scratch = try Scratch()
        let path = scratch("record.json")
        let intact = SealedRecord.encoded(Small())
        func read(_ bytes: [UInt8]) throws -> Small {
            try LocalFileSystem().write(bytes, to: path)
            return try SealedRecord.read(path, limit: 1000, remedy: .remake)
        }
        #expect(try read(intact) == Small())
        let object = try JSONSerialization.jsonObject(with: Data(intact)) as? [String: Any]
        #expect(object?["version"] as? Int == 4, "it stays JSON")
        let damaged =
            "\(path): the record is damaged: its content does not match its hash \(Self.restore)"
        for bit in 0..<8 * intact.count {
            var bytes = intact
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(failure { try read(bytes) } == damaged, "bit \(bit)")
        }
        for length in [0, 1, intact.count / 2, intact.count - 1] {
            #expect(failure { try read(Array(intact.prefix(length))) } == damaged)
        }
        #expect(failure { try read(intact + [32]) } == damaged)
        #expect(failure { try read(Array(repeating: 91, count: 900)) } == damaged)
        let older =
            "\(path): made by an older version of this program, whose records carry no hashes "
            + "(add --remake to make it again, or give another --out)"
        #expect(failure { try read(JSON.file(Small())) } == older)
        #expect(failure { try read(Array("{\"version\": 2}".utf8)) } == older)
    }

    @Test func aNewerVersionIsSaid() throws {
        let scratch = try Scratch()
        let path = scratch("record.json")
        for version in [5, 3, .max] {
            let bytes = SealedRecord.encoded(Small(), version: version)
            try LocalFileSystem().write(bytes, to: path)
            let said = failure { () throws(Problem) -> Small in
                try SealedRecord.read(path, limit: 1000, remedy: .remake)
            }
            #expect(
                said
                    == "\(path): made by another version of this program: expected records of version 4 "
                    + "(give another --out)")
        }
    }

    /// A record that was edited and hashed anew must not choose what is read.
    @Test func namesThatLeadOutAreDamage() throws {
        let scratch = try Scratch()
        try LocalFileSystem().createDirectory(scratch("run/in"))
        for path in ["outside", "run/in/side"] {
            try LocalFileSystem().write([1], to: scratch(path))
        }
        let hash = try fileHash(scratch("outside"))
        func said(_ name: String) -> String {
            failure { try verify([name: hash], in: scratch("run"), remedy: .remake) }
        }
        #expect(said("in/side") == "nothing thrown")
        for name in [
            scratch("outside"), "../outside", "in/../../outside", "./in/side", "in//side", "",
        ] {
            #expect(
                said(name)
                    == "\(scratch("run")): a record is damaged: it names a file outside its folder: found "
                    + "\"\(Problem.oneLine(name, limit: 60))\" \(Self.restore)")
        }
        try LocalFileSystem().createDirectory(scratch("phase/pool"))
        let content = PoolContent(
            shape: [1, 2, 2], classNames: ["a"],
            batches: [.init(name: "../../outside", images: 1)], heldOut: [], grids: [], warmUp: 0)
        try LocalFileSystem().write(JSON.text(content), to: scratch("phase/pool/pool.json"))
        #expect(
            failure { try SyntheticPool(phase: scratch("phase")) }.contains(
                "pool.json: the checkpoint is damaged: it names a file outside its folder"))
        // Phases are folders.
        let run = try Tiny.run(Tiny.recipe("training.epochs=1"), scratch("whole"))
        _ = try run.train()
        let path = scratch("whole/result.json")
        var record: Recorded<RunResult.Scores> = try SealedRecord.read(
            path, limit: 1 << 20, remedy: .remake)
        record.value.phases[0].name = "../../elsewhere"
        try LocalFileSystem().write(SealedRecord.encoded(record), to: path)
        #expect(
            failure { try RunRecord(folder: scratch("whole")) }.contains(
                "it names a file outside its folder: found \"../../elsewhere\""))
    }

    // MARK: Ranges of a checkpoint

    private func record() -> CheckpointRecord {
        var learner = LearnerRecord()
        learner.sums.samples = 128
        let scores = Evaluation(logProbabilities: [-0.1, -2.4], classes: 2, labels: [0])
        learner.selected = Selection(epoch: 0, validation: scores)
        learner.emaSelected = learner.selected
        return CheckpointRecord(
            key: "", step: 5, epoch: 1, stepInEpoch: 2, learners: [learner], metricsBytes: 0,
            metrics: "", seconds: 1, epochSeconds: [0.5], tensors: "")
    }

    @Test func impossibleNumbersAreRefused() throws {
        let spec = try Tiny.recipe().phases(dataHash: "d", compute: Tiny.compute) { _ in "h" }[0]
        let bounds = CheckpointRecord.Bounds(
            spec: spec, stepsPerEpoch: 3, learners: 1, samples: 180)
        func said(_ change: (inout CheckpointRecord) -> Void) -> String {
            var record = record()
            record.key = spec.key
            change(&record)
            return failure { try record.check(bounds, "run/step-000000000005") }
        }
        #expect(said { _ in } == "nothing thrown")
        let numbers = [-5, -1, 0, 1, 2, 3, 4, 6, 7, 1_000_000_000, .max, .min]
        let paths: [WritableKeyPath<CheckpointRecord, Int>] = [
            \.step, \.epoch, \.stepInEpoch, \.learners[0].sums.samples,
            \.learners[0].selected!.epoch, \.learners[0].emaSelected!.epoch,
        ]
        for path in paths {
            let own = record()[keyPath: path]
            for number in numbers where number != own {
                let line = said { $0[keyPath: path] = number }
                #expect(
                    line.hasPrefix(
                        "run/step-000000000005/checkpoint.json: the checkpoint is damaged"),
                    "\(path) = \(number): \(line)")
            }
        }
        let others: [(inout CheckpointRecord) -> Void] = [
            { $0.learners[0].sums.hits = 129 }, { $0.learners[0].sums.cleanHits = .max },
            { $0.learners[0].sums.hits = -1 }, { $0.metricsBytes = -1 }, { $0.metricsBytes = .min },
            { $0.seconds = .nan }, { $0.seconds = -1 }, { $0.epochSeconds = [.infinity] },
            { $0.epochSeconds = [0, 1] }, { $0.learners = [] }, { $0.learners[0].selected = nil },
            { $0.pieces = -1 }, { $0.pieces = .max }, { $0.learners[0].sums.predicted = 129 },
            { $0.learners[0].selected!.validation.accuracy = 2 },
            { $0.learners[0].selected!.validation.nll = .nan },
        ]
        for (i, change) in others.enumerated() {
            #expect(said(change).contains("the checkpoint is damaged"), "\(i)")
        }
        #expect(
            said { $0.step = 6 }
                == "run/step-000000000005/checkpoint.json: the checkpoint is damaged: step 6, where its "
                + "epoch and step in the epoch make 5 \(Self.restore)")
        #expect(
            said { $0.key = "other" }
                == "run/step-000000000005/checkpoint.json: made for another recipe or data set "
                + "(give another --out)")
    }

    @Test func timesAreUnknownRatherThanWrong() throws {
        let scratch = try Scratch()
        for text in [
            "", "[", "{}", "{\"seconds\": -1}", "{\"seconds\": 1e308}", "{\"seconds\": \"nan\"}",
            "{\"seconds\": 1, \"epochs\": [1e300]}", "{\"seconds\": 1, \"epochs\": [-1]}",
            String(repeating: "[", count: 100_000),
        ] {
            try LocalFileSystem().write(Array(text.utf8), to: scratch("timing.json"))
            #expect(PhaseTiming(folder: scratch.path) == nil, "\(text.prefix(40))")
        }
    }

    @Test func unknownSecondsAreNotZero() throws {
        let scratch = try Scratch()
        let run = try Tiny.run(Tiny.recipe("training.epochs=1"), scratch("run"))
        #expect(try #require(run.train().seconds) > 0)
        try LocalFileSystem().write(
            Array("[".utf8), to: "\(run.store.path(run.chain[0]))/timing.json")
        #expect(try RunResult(run: run).seconds == nil)
    }

    // MARK: Folders

    private func flip(_ path: String) throws -> [UInt8] {
        let intact = try readFile(path)
        var bytes = intact
        bytes[bytes.count / 2] ^= 4
        try LocalFileSystem().write(bytes, to: path)
        return intact
    }

    /// One flipped bit in any file of a finished run is refused by name, by whoever reads it.
    @Test func everyFileOfAFinishedRunCounts() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe()
            _ = try Tiny.run(recipe, scratch("run")).train()
            let whole = try Tiny.content(scratch("run"))
            let files = whole.filter { !$0.value.isEmpty }.keys.sorted()
            #expect(files.count >= 11, "\(files)")
            var remaking = TrainingEnvironment()
            remaking.remake = true
            for (i, file) in files.enumerated() {
                let path = scratch("run/\(file)")
                let intact = try flip(path)
                for said in [
                    failure { try Tiny.run(recipe, scratch("run")).train() },
                    failure { try RunRecord(folder: scratch("run")) },
                ] {
                    #expect(said.hasPrefix("\(path): the "), "\(said)")
                    #expect(said.contains("--remake"), "\(said)")
                }
                if !file.hasPrefix("phases") {
                    #expect(failure { try SavedModel(path: scratch("run")) }.hasPrefix(path))
                }
                // The hint, taken literally, for some of them.
                if i % 3 == 0 {
                    _ = try Tiny.run(recipe, scratch("run"), remaking).train()
                    #expect(try Tiny.content(scratch("run")) == whole, "\(file)")
                } else {
                    try LocalFileSystem().write(intact, to: path)
                }
            }
            try LocalFileSystem().remove(scratch("run/phases/0-student/last.safetensors"))
            #expect(
                failure { try Tiny.run(recipe, scratch("run")).train() }
                    == "\(scratch("run/phases/0-student/last.safetensors")): the file is missing, and a "
                    + "record names it \(Self.restore)")
        }
    }

    /// The same for what an unfinished phase continues from, weights kept after an epoch among it.
    @Test func everyFileOfAnUnfinishedPhaseCounts() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let recipe = try Tiny.recipe(
                "method={name: adaptive-mixing, teachers: [{snapshot-epochs: [1]}]}",
                "training.epochs=3")
            _ = try Tiny.run(recipe, scratch("whole")).train()
            let steps = Steps()
            var environment = TrainingEnvironment()
            environment.observe = { if case .step = $0 { steps.count() } }
            environment.shouldStop = { steps.value == 5 }
            #expect(
                failure { try Tiny.run(recipe, scratch("run"), environment).train() }
                    .hasPrefix("interrupted"))
            let phase = scratch("run/phases/0-teacher")
            for name in [
                "metrics.jsonl", "epoch-1.safetensors",
                "checkpoints/step-000000000005/checkpoint.json",
                "checkpoints/step-000000000005/tensors.safetensors",
            ] {
                let intact = try flip("\(phase)/\(name)")
                let said = failure { try Tiny.run(recipe, scratch("run")).train() }
                #expect(said.hasPrefix("\(phase)/\(name): "), "\(said)")
                #expect(said.hasSuffix(Self.restore), "\(said)")
                try LocalFileSystem().write(intact, to: "\(phase)/\(name)")
            }
            _ = try flip("\(phase)/checkpoints/step-000000000005/tensors.safetensors")
            var remaking = TrainingEnvironment()
            remaking.remake = true
            _ = try Tiny.run(recipe, scratch("run"), remaking).train()
            #expect(try Tiny.content(scratch("run")) == Tiny.content(scratch("whole")))
        }
    }

    @Test func hintsOfResumingFit() throws {
        try withNoLeaks {
            let scratch = try Scratch()
            let run = try Tiny.run(Tiny.recipe(), scratch("run"))
            _ = try run.train()
            var facts = try RunFolder(scratch("run")).facts()
            let intact = try readFile(scratch("run/run.json"))
            facts.value.dataHash = "of other data"
            try LocalFileSystem().write(SealedRecord.encoded(facts), to: scratch("run/run.json"))
            let changed = failure { try Tiny.run(Tiny.recipe(), scratch("run")).checkFolder() }
            try LocalFileSystem().write(intact, to: scratch("run/run.json"))
            #expect(changed.hasPrefix("\(scratch("run")): cannot resume exactly: the data differs"))
            #expect(changed.hasSuffix("(restore the data, or give another --out)"))
            var compute = Tiny.compute
            compute.engine = "1.0"
            let other = try Run(
                Tiny.recipe(), folder: scratch("run"), compute: compute, dataFiles: Tiny.files)
            #expect(
                failure { try other.checkFolder() }.hasSuffix(
                    "(resume with the same one, or with --inexact)"))
        }
    }
}
