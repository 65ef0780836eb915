import Datasets
import Diagnostics
import Files
import Foundation
import TestSupport
import Testing
import Torch

@testable import Training

/// Folds that a run leaves out and judges, and labels and weights that files bring.
@Suite(.serialized, .takesTurns) struct HeldOutTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func file(_ name: String, _ text: String) throws -> String {
        try LocalFileSystem().write(Array(text.utf8), to: scratch(name))
        return scratch(name)
    }

    private func prepared(_ changes: String...) throws -> PreparedData {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in changes { file = try file.setting(change) }
        return try PreparedData(try file.decoded(Recipe.self), files: Tiny.files)
    }

    /// Without a test set of its own, and not all of it.
    private let table =
        "data={kind: gaussian-classes, samples: 240, classes: 3, features: 6, separation: 2, limit: 200}"

    private func key(_ recipe: Recipe) throws -> String {
        try Tiny.run(recipe, scratch("none")).chain.last!.key
    }

    // MARK: Folds

    /// Every sample but those of the test split is held out once; test split, labels and noise are as they are
    /// without folds.
    @Test(arguments: ["symmetric", "symmetric-inclusive", "instance"], [true, false])
    func foldsPartTheRest(kind: String, hasOwnTest: Bool) throws {
        let noise = "noise={kind: \(kind), rate: 0.3}"
        let data = hasOwnTest ? "data={kind: embedded, limit: 200}" : table
        let whole = try prepared(data, noise)
        let pool = (whole.split.train + whole.split.validation).sorted()
        var held: [Int] = []
        for fold in 1...3 {
            let data = try prepared(data, noise, "data.held-out={fold: \(fold), of: 3}")
            #expect(data.testMembers == whole.testMembers)
            #expect(data.learning.labels == whole.learning.labels)
            #expect(data.noise.labels == whole.noise.labels && data.noise.ids == pool)
            let parts = data.split.train + data.split.validation + data.heldOut
            #expect(parts.sorted() == pool)
            let share = { (split: Split) in
                Double(split.validation.count) / Double(split.train.count)
            }
            #expect(abs(share(data.split) - share(whole.split)) < 0.03)
            // What is held out tells the network nothing, not even by its mean.
            #expect(
                try data.normalisation
                    == Normalisation.fit(
                        data.learning, members: data.split.train))
            held += data.heldOut
        }
        #expect(held.sorted() == pool)
    }

    @Test func dataWithATestSetOfItsOwn() throws {
        var rows = ["x,y,label"]
        for i in 0..<60 { rows.append("\(i),\(i * i % 17),\(i % 2)") }
        let table = try file("train.csv", rows.joined(separator: "\n"))
        let test = try file("test.csv", rows.prefix(11).joined(separator: "\n"))
        let options = """
            data={kind: csv, path: \(table), test-path: \(test), label: label, \
            held-out: {fold: 2, of: 4}}
            """
        let data = try prepared(options, "noise=null", "model={name: mlp, hidden: [4]}")
        #expect(data.heldOut.count == 15 && data.testMembers == Array(0..<10))
        #expect(data.split.train.count + data.split.validation.count == 45)
        #expect(data.index(ofMember: 3, .test) == 3)
    }

    /// Groups stay together; a class too small for one split more leaves what there is of the first.
    @Test func groupsAndSmallClasses() throws {
        var rows = ["x,who,label"]
        for i in 0..<80 { rows.append("\(i),\(i / 4),\(i % 2)") }
        let table = try file("groups.csv", rows.joined(separator: "\n"))
        for fold in 1...4 {
            let data = try prepared(
                "data={kind: csv, path: \(table), label: label, group: who, held-out: {fold: \(fold), of: 4}}",
                "noise=null", "model={name: mlp, hidden: [4]}")
            let part = { (members: [Int]) in Set(members.map { $0 / 4 }) }
            let parts = [data.split.train, data.split.validation, data.heldOut, data.testMembers]
            #expect(parts.map { part($0).count }.reduce(0, +) == 20)
        }
        // Three samples of a class: one for each part.
        rows = ["x,label"]
        for i in 0..<60 { rows.append("\(i),\(i < 3 ? 2 : i % 2)") }
        let rare = try file("rare.csv", rows.joined(separator: "\n"))
        for fold in 1...2 {
            let data = try prepared(
                "data={kind: csv, path: \(rare), label: label, validation: 0.3, held-out: {fold: \(fold), of: 2}}",
                "noise=null", "model={name: mlp, hidden: [4]}")
            #expect(!data.split.train.isEmpty && !data.split.validation.isEmpty)
            #expect(
                Set(data.heldOut).isDisjoint(
                    with: data.split.train + data.split.validation + data.testMembers))
        }
    }

    @Test func eachFoldIsAPhaseOfItsOwn() throws {
        let folds = ["{fold: 1, of: 3}", "{fold: 2, of: 3}", "{fold: 1, of: 4}", "null"]
        let keys = try folds.map { try key(try Tiny.recipe("data.held-out=\($0)")) }
        #expect(Set(keys).count == 4)
        let recorded = try key(try Tiny.recipe("training.dynamics=true"))
        #expect(!keys.contains(recorded))
    }

    @Test(arguments: [
        ("{fold: 0, of: 3}", "data.held-out.fold: value out of range: found 0, expected 1 to 3"),
        ("{fold: 4, of: 3}", "data.held-out.fold: value out of range: found 4, expected 1 to 3"),
        ("{fold: 1, of: 1}", "data.held-out.of: value out of range: found 1, expected 2 to 50"),
        ("{fold: 1}", "missing key \"of\" (data.held-out needs it)"),
    ])
    func ranges(_ value: String, _ sentence: String) {
        let said = failure { try Tiny.recipe("data.held-out=\(value)") }
        #expect(said.hasSuffix(sentence), "\(said)")
    }

    // MARK: What is judged

    private func trained(_ name: String, _ changes: String...) throws -> String {
        var file = try RecipeFile(text: Tiny.text, file: "tiny")
        for change in ["data.held-out={fold: 1, of: 4}"] + changes {
            file = try file.setting(change)
        }
        _ = try Tiny.run(try file.decoded(Recipe.self), scratch(name)).train()
        return scratch(name)
    }

    /// The run's own network says the same of the same samples; features are of all of them.
    @Test(arguments: [false, true]) func predictionsAreThoseOfTheResult(ema: Bool) throws {
        let folder = try trained("run-\(ema)", "training.use-ema=\(ema)")
        let table = try SampleTable("\(folder)/judged.safetensors")
        let data = try prepared("data.held-out={fold: 1, of: 4}")
        let held = data.heldOut.map { data.origins[$0] }
        #expect(table.index == held + data.testMembers)
        #expect(table.role.count { $0 == .heldOut } == held.count)
        #expect(table.names == ["log-probabilities"])
        let (values, width) = try table.values("log-probabilities")
        #expect(width == 10)
        let model = try SavedModel(path: folder)
        let shown =
            try model.probabilities(data.learning.subset(data.heldOut))
            + model.probabilities(data.test.subset(data.testMembers))
        #expect(shown.count == values.count)
        for (a, b) in zip(values, shown) { #expect(abs(exp(a) - Double(b)) < 1e-5) }
        // Limited data: places are those of the whole.
        #expect(held.max()! > 200)
        let phase = "\(folder)/phases/0-student"
        let features = try SampleTable("\(phase)/features.safetensors")
        #expect(features.count == 200 + data.testMembers.count)
        #expect(Set(features.index.prefix(200)) == Set(data.origins))
        #expect(try features.values("features").width == 16)
        let dynamics = try SampleTable("\(folder)/dynamics.safetensors")
        #expect(dynamics.index == data.split.train.map { data.origins[$0] })
        #expect(try dynamics.values("observations").values.allSatisfy { $0 == 2 })
        #expect(RunFolderCheck.isSound(folder))
    }

    @Test func severalNetworksJudgeTogether() throws {
        let folder = try trained(
            "peers", "method={name: mutual, peers: [{}, {}]}", "training.ema=0")
        let table = try SampleTable("\(folder)/judged.safetensors")
        let (values, width) = try table.values("log-probabilities")
        let data = try prepared("data.held-out={fold: 1, of: 4}")
        let each = try (1...2).map { peer in
            let model = try SavedModel(path: "\(folder)/peer-\(peer).safetensors")
            return try model.probabilities(data.learning.subset(data.heldOut))
                + model.probabilities(data.test.subset(data.testMembers))
        }
        for (i, value) in values.enumerated() {
            #expect(abs(exp(value) - Double(each[0][i] + each[1][i]) / 2) < 1e-5)
        }
        for row in stride(from: 0, to: values.count, by: width) {
            let sum = values[row..<row + width].reduce(0) { $0 + exp($1) }
            #expect(abs(sum - 1) < 1e-5)
        }
        let dynamics = try SampleTable("\(folder)/dynamics.safetensors")
        #expect(try dynamics.values("observations").values.allSatisfy { $0 == 4 })
    }

    @Test func aDeclinedStagePassesThemOn() throws {
        let folder = try trained(
            "declined", "method={name: self-distillation, stages: auto, max-stages: 2}",
            "later={learning-rate: 1e-9}")
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/phases").sorted()
        let read = { (phase: String, name: String) in
            try readFile("\(folder)/phases/\(phase)/\(name).safetensors")
        }
        for name in ["judged", "features", "dynamics"] {
            #expect(try read(names[0], name) == read(names.last!, name))
        }
    }

    /// A sample's own label cannot change what is said of it; a training sample's label can.
    @Test(arguments: [
        "{name: cross-entropy}", "{name: early-learning}", "{name: co-teaching, ramp: 1}",
    ])
    func aLabelHasNoPartInItsOwnJudgement(method: String) throws {
        let data = try prepared("data.held-out={fold: 1, of: 4}")
        func run(_ name: String, changing member: Int) throws -> [UInt8] {
            let label = (data.learning.labels[member] + 1) % 10
            let labels = try file("\(name).csv", "sample,label\n\(data.origins[member]),\(label)\n")
            let folder = try trained(
                "\(UUID())", "method=\(method)", "training.ema=0", "labels={file: \(labels)}")
            return try readFile("\(folder)/judged.safetensors")
        }
        let plain = try readFile(
            "\(try trained("\(UUID())", "method=\(method)", "training.ema=0"))/judged.safetensors")
        #expect(try run("held", changing: data.heldOut[3]) == plain)
        #expect(try run("trained", changing: data.split.train[3]) != plain)
    }

    // MARK: Labels of a file

    @Test func labelsAreReplacedAndTruthIsNot() throws {
        let whole = try prepared(table)
        let (train, test) = (whole.split.train, whole.split.test)
        func row(_ member: Int, _ label: Int?) -> String {
            "\(whole.origins[member]),\(label.map(String.init) ?? "")"
        }
        let right = whole.learning.clean![train[0]]
        let other = (whole.learning.clean![train[1]] + 1) % 3
        let path = try file(
            "labels.csv",
            ([
                "sample,label", row(train[0], right), row(train[1], other), row(train[2], nil),
                row(whole.split.validation[0], nil),
                row(test[0], (whole.test.labels[test[0]] + 1) % 3),
            ]).joined(separator: "\n"))
        let data = try prepared(table, "labels={file: \(path)}")
        #expect(data.learning.labels[train[0]] == right)
        #expect(data.learning.labels[train[1]] == other)
        #expect(data.learning.clean == whole.learning.clean)
        #expect(data.split.train == train.filter { $0 != train[2] })
        #expect(data.split.validation == Array(whole.split.validation.dropFirst()))
        // Of the test split nothing changes, and it is said that the row was of no use.
        #expect(data.test.labels == whole.test.labels && data.testMembers == whole.testMembers)
        #expect(
            data.warnings.contains {
                $0.hasPrefix("1 rows of ")
                    && $0.hasSuffix(" are of test samples, whose labels are never changed")
            })
        // Other labels stay as noise made them, and the noise that there is is measured.
        for member in train.dropFirst(3) {
            #expect(data.learning.labels[member] == whole.learning.labels[member])
        }
        let wrong = data.noise.ids.count { data.learning.labels[$0] != data.learning.clean![$0] }
        #expect(data.noise.realisedRate == Double(wrong) / Double(data.noise.ids.count))
        #expect(data.noise.ids.count == whole.noise.ids.count - 2)
        #expect(data.noise.intendedRate == nil)
        #expect(data.samplesIdentity != whole.samplesIdentity)
    }

    /// The key is of what the file says, and not of how it is written.
    @Test func keysAreOfTheContent() throws {
        let data = try prepared()
        let member = data.split.train[5]
        let sample = data.origins[member]
        let label = data.learning.labels[member]
        func key(_ name: String, _ text: String) throws -> String {
            try self.key(
                try Tiny.recipe("labels={file: \(try file(name, "sample,label\n" + text))}"))
        }
        let plain = try self.key(try Tiny.recipe())
        #expect(try key("same.csv", "\(sample),\(label)\n") == plain)
        let other = try key("other.csv", "\(sample),\((label + 1) % 10)\n")
        #expect(try key("again.csv", "\(sample),\((label + 1) % 10)") == other)
        // Two neighbours with one label: the list of labels is the same whichever is left out.
        let ids = data.noise.ids
        let twins = try #require(
            zip(ids, ids.dropFirst()).first {
                data.learning.labels[$0] == data.learning.labels[$1]
            })
        let keys = try [twins.0, twins.1].map {
            try key("out-\($0).csv", "\(data.origins[$0]),\n")
        }
        #expect(Set([plain, other] + keys).count == 4)
    }

    @Test func aChangedFileIsNotGoneOnWith() throws {
        let data = try prepared()
        let sample = data.origins[data.split.train[0]]
        let path = try file("labels.csv", "sample,label\n\(sample),3\n")
        let recipe = try Tiny.recipe("labels={file: \(path)}")
        #expect(recipe.inputFiles == [path])
        #expect(recipe.yaml.contains("labels:\n  file: \(path)"))
        _ = try Tiny.run(recipe, scratch("run")).train()
        _ = try Tiny.run(recipe, scratch("run")).train()
        _ = try file("labels.csv", "sample,label\n\(sample),4\n")
        let said = failure { try Tiny.run(recipe, scratch("run")).train() }
        #expect(said.contains("recipe"), "\(said)")
    }

    @Test func nothingToLearnFrom() throws {
        let data = try prepared()
        let all = data.split.train.map { "\(data.origins[$0])," }.joined(separator: "\n")
        let path = try file("none.csv", "sample,label\n\(all)\n")
        #expect(
            failure { try prepared("labels={file: \(path)}") }
                == "\(path): every training sample is left out: found \(data.split.train.count) samples, "
                + "expected at least one that is kept")
        #expect(
            failure { try Tiny.recipe("labels={}") }.hasSuffix(
                "missing key \"file\" (labels needs it)"))
    }

    // MARK: Weights

    @Test func aSampleWithoutWeightTeachesNothing() throws {
        let data = try prepared()
        let member = data.split.train[7]
        let sample = data.origins[member]
        let weights = try file("weights.csv", "sample,weight\n\(sample),0\n")
        func model(_ name: String, _ changes: String...) throws -> [UInt8] {
            var file = try RecipeFile(text: Tiny.text, file: "tiny").setting("training.ema=0")
            for change in changes { file = try file.setting(change) }
            _ = try Tiny.run(try file.decoded(Recipe.self), scratch(name)).train()
            return try readFile("\(scratch(name))/phases/0-student/last.safetensors")
        }
        let other = try file(
            "other.csv", "sample,label\n\(sample),\((data.learning.labels[member] + 1) % 10)\n")
        let weighted = try model("weighted", "weights={file: \(weights)}")
        #expect(
            try model("relabelled", "weights={file: \(weights)}", "labels={file: \(other)}")
                == weighted)
        let plain = try model("plain")
        #expect(weighted != plain)
        // Weights say what counts more than what: equal ones change nothing.
        let twos = (0..<4000).map { "\($0),2" }.joined(separator: "\n")
        let equal = try file("equal.csv", "sample,weight\n" + twos)
        #expect(try model("equal", "weights={file: \(equal)}") == plain)
        let recipes = try ["null", "{file: \(weights)}", "{file: \(equal)}"].map {
            try key(try Tiny.recipe("weights=\($0)"))
        }
        #expect(Set(recipes).count == 3)
    }

    @Test(arguments: [
        "{name: co-teaching, forget-rate: 0.2}", "{name: mixup}", "{name: sop}",
        "{name: dividemix, warm-up: 1}",
    ])
    func lossesOfOtherKindsAreRefused(method: String) throws {
        let path = try file("weights.csv", "sample,weight\n0,2\n")
        let recipe = try Tiny.recipe("method=\(method)", "weights={file: \(path)}")
        #expect(
            failure { try Tiny.run(recipe, scratch("run")) }
                == "weights: weights of samples have no clear meaning for this recipe's losses: found method "
                + "\(recipe.method.name), expected a method whose every loss is of one sample, without "
                + "relation (cross-entropy, distillation, early-learning and mutual are)")
    }

    @Test(arguments: [
        "{name: distillation, teacher: {method: {name: cross-entropy}}}",
        "{name: self-distillation, stages: 2}", "{name: mutual, peers: [{}, {}]}",
        "{name: early-learning}", "{name: truncated-gce, start: 1}", "{name: lccn, warm-up: 1}",
        "{name: lend, warm-up: 1}",
    ])
    func methodsThatWeigh(method: String) throws {
        let path = try file("weights.csv", "sample,weight\n0,2\n")
        let recipe = try Tiny.recipe("method=\(method)", "weights={file: \(path)}")
        _ = try Tiny.run(recipe, scratch("run")).train()
    }

    @Test func dataWithoutSamples() throws {
        let recipe = try Tiny.recipe()
        var options = recipe.data
        options.source = NoSource(imageShape: [1, 8, 8], classNames: ["a", "b"])
        #expect(
            failure {
                try PreparedData(
                    options, noise: .none, labels: SampleFileOptions(file: "x"), seed: 0)
            } == "labels: there are no samples that this could be about: found data of kind none")
        options.heldOut = HeldOutFold(fold: 1, of: 2)
        #expect(
            failure { try PreparedData(options, noise: .none, seed: 0) }.hasPrefix(
                "data.held-out: "))
    }
}

/// Whether every hash of a run's records holds.
private enum RunFolderCheck {
    static func isSound(_ folder: String) -> Bool {
        (try? RunFolder(folder).verify()) != nil && (try? RunRecord(folder: folder)) != nil
    }
}
