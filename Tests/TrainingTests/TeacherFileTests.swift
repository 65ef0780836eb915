import Datasets
import Diagnostics
import Files
import Foundation
import Testing

@testable import Training

/// A teacher from a file has its own order of classes and columns and its own normalisation.
@Suite struct TeacherFileTests {
    /// Three separable classes; columns and names as asked for.
    static func table(_ columns: [String] = ["x", "y"], names: [String] = ["a", "b", "c"]) -> String
    {
        var lines = [(columns + ["label"]).joined(separator: ",")]
        for i in 0..<120 {
            let c = i % 3
            let (x, y) = ([0, 40, 0][c] + Double(i % 7), [0, 0, 0.4][c] + Double(i % 5) / 100)
            let cells = columns.map { $0.hasSuffix("y") ? "\(y)" : "\(x)" }
            lines.append((cells + [names[c]]).joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func recipe(
        _ path: String, _ extra: String = "", method: String = "{name: cross-entropy}"
    )
        throws -> Recipe
    {
        try RecipeFile(
            text: """
                data: {kind: csv, path: "\(path)"\(extra)}
                model: {name: mlp, hidden: [8]}
                method: \(method)
                optimizer: {kind: adam, learning-rate: 0.05}
                training: {epochs: 12, batch: 16, ema: 0}
                """, file: "tiny"
        ).decoded(Recipe.self)
    }

    static func write(_ text: String, _ scratch: Scratch, _ name: String) throws -> String {
        try LocalFileSystem().write(Array(text.utf8), to: scratch(name))
        return scratch(name)
    }

    /// The teacher's accuracy on the test split, as a student of other files meets it.
    func teacherAccuracy(
        _ scratch: Scratch, _ text: String, _ extra: String = "", method: String? = nil,
        seed: Int = 0
    ) throws -> Double {
        // A name of its own: files are read once.
        let path = try Self.write(text, scratch, "student-\(UUID()).csv")
        let file =
            "{model: {name: mlp, hidden: [8]}, file: \"\(scratch("teacher/model.safetensors"))\"}"
        var recipe = try Self.recipe(
            path, extra,
            method: method.map { $0.replacing("FILE", with: file) }
                ?? "{name: distillation, teacher: \(file)}")
        recipe.seed = UInt64(seed)
        recipe.training.epochs = 1
        let run = try Tiny.run(recipe, scratch("student-\(UUID())"))
        return try #require(run.train().scores.phases.last?.value("teacher-accuracy"))
    }

    func withTeacher(_ body: (Scratch) throws -> Void) throws {
        let scratch = try Scratch()
        let path = try Self.write(Self.table(), scratch, "teacher.csv")
        let run = try Tiny.run(
            Self.recipe(path, ", class-names: [c, a, b]"), scratch("teacher"))
        let scores = try run.train().evaluations.selected.test
        try #require(scores.accuracy > 0.9)
        try body(scratch)
    }

    @Test func classesAndColumnsAreMatchedByName() throws {
        try withTeacher { scratch in
            // The same samples, so the same split: whatever order the student's file has them in.
            let wanted = try teacherAccuracy(scratch, Self.table(), ", class-names: [c, a, b]")
            #expect(wanted > 0.9)
            #expect(try teacherAccuracy(scratch, Self.table()) == wanted)
            #expect(try teacherAccuracy(scratch, Self.table(["y", "x"])) == wanted)
            #expect(
                try teacherAccuracy(
                    scratch, Self.table(),
                    method: "{name: adaptive-mixing, teachers: [FILE]}") > 0.9)
        }
    }

    /// Another split has other constants; the teacher still sees its own.
    @Test func inputsAreNormalisedAsTheTeacherKnowsThem() throws {
        try withTeacher { scratch in
            let shifted = Self.table().split(separator: "\n").enumerated().filter {
                $0.offset == 0 || $0.offset % 3 != 2 || $0.offset % 2 == 0
            }.map { String($0.element) }.joined(separator: "\n")
            let accuracy = try teacherAccuracy(scratch, shifted, seed: 3)
            #expect(accuracy > 0.9)
        }
    }

    @Test func othersAreRefused() throws {
        try withTeacher { scratch in
            #expect(
                failure { try teacherAccuracy(scratch, Self.table(names: ["a", "b", "d"])) }
                    .hasSuffix(
                        "the network knows other classes than the data: found 3 classes, among them \"c\", expected 3 "
                            + "classes, among them \"d\" (data.class-names names the classes of the data, in the order of their numbers)"
                    ))
            #expect(
                failure { try teacherAccuracy(scratch, Self.table(["z", "y"])) }.contains(
                    "the columns are not those that the network was trained on: found no \"x\""))
        }
    }

    /// Before the run's folder is there, so that the mended recipe can have it.
    @Test func refusalsLeaveNoFolder() throws {
        try withTeacher { scratch in
            let path = try Self.write(Self.table(names: ["a", "b", "d"]), scratch, "other.csv")
            let file = scratch("teacher/model.safetensors")
            let recipe = try Self.recipe(
                path, method: "{name: distillation, teacher: {file: \"\(file)\"}}")
            #expect(
                failure { try Tiny.run(recipe, scratch("new")) }.contains("knows other classes"))
            #expect(!FileManager.default.fileExists(atPath: scratch("new")))
        }
    }

    @Test func evaluationMatchesByName() throws {
        try withTeacher { scratch in
            let saved = try SavedModel(path: scratch("teacher"))
            let own = try Table.read(scratch("teacher.csv"))
            let other = try Table.read(
                try Self.write(Self.table(["y", "x"]), scratch, "other.csv"),
                options: .init(classNames: ["b", "c", "a"]))
            #expect(try saved.evaluate(own).accuracy == saved.evaluate(other).accuracy)
            #expect(try saved.evaluate(own).accuracy > 0.9)
        }
    }

    @Test func secondTableIsMatchedByName() throws {
        let scratch = try Scratch()
        let path = try Self.write(Self.table(), scratch, "train.csv")
        for (name, columns) in [("same", ["x", "y"]), ("other", ["y", "x"])] {
            _ = try Self.write(Self.table(columns), scratch, "\(name).csv")
        }
        let scores = try ["same", "other"].map { name in
            let recipe = try Self.recipe(path, ", test-path: \"\(scratch("\(name).csv"))\"")
            return try Tiny.run(recipe, scratch(name)).train().evaluations.selected.test
        }
        #expect(scores[0].accuracy > 0.9 && scores[0] == scores[1])
    }

    // MARK: What is not known

    @Test func unknownNoiseIsUnknown() throws {
        let scratch = try Scratch()
        let path = try Self.write(Self.table(), scratch, "t.csv")
        var recipe = try Self.recipe(path)
        recipe.training.epochs = 1
        let run = try Tiny.run(recipe, scratch("run"))
        _ = try run.train()
        #expect(run.data.warnings.contains(PreparedData.unknownNoise))
        #expect(!run.data.knowsClean && run.data.noise.realisedRate == nil)
        let facts = String(decoding: try readFile(scratch("run/run.json")), as: UTF8.self)
        #expect(facts.contains("\"realisedNoiseRate\" : null"))
        #expect(facts.contains("\"realisedTransition\" : null"))
        #expect(try RunFacts(folder: scratch("run")).realisedNoiseRate == nil)
        let labels = String(decoding: try readFile(scratch("run/labels.csv")), as: UTF8.self)
        #expect(labels.split(separator: "\n").dropFirst().allSatisfy { $0.hasSuffix(",") })
        // Where noise is injected, the labels as they came count as clean.
        let noisy = try PreparedData(
            recipe.data, noise: LabelNoise(.symmetric, rate: 0.3), seed: 0)
        #expect(noisy.knowsClean && !noisy.warnings.contains(PreparedData.unknownNoise))
    }

    @Test func smallAndEmptyClassesAreWarnedOf() throws {
        let scratch = try Scratch()
        let rows = (0..<60).map { "\($0 % 9),\($0 % 4),\($0 < 12 ? "rare" : "common")" }
        let path = try Self.write(
            "x,y,label\n" + rows.joined(separator: "\n"), scratch, "t.csv")
        var recipe = try Self.recipe(path, ", class-names: [none, rare, common]")
        let data = try PreparedData(recipe.data, noise: recipe.noise, seed: 0)
        #expect(
            data.warnings.contains {
                $0.hasPrefix("fewer than 5 samples of a class in the validation split")
                    && $0.hasSuffix(": rare 2")
            })
        #expect(data.warnings.contains { $0.hasPrefix("no sample of class \"none\"") })
        // A test table of its own may lack classes that are learnt.
        let test = try Self.write(
            "x,y,label\n" + rows[12...].joined(separator: "\n"), scratch, "e.csv")
        recipe = try Self.recipe(
            path, ", class-names: [none, rare, common], test-path: \"\(test)\"")
        #expect(
            try PreparedData(recipe.data, noise: recipe.noise, seed: 0).warnings.contains {
                $0.hasPrefix("fewer than 5 samples of a class in the test split")
                    && $0.hasSuffix(": rare 0")
            })
        let numbered = (0..<60).map { "\($0),\($0 % 4),\($0 % 2)" }
        recipe = try Self.recipe(
            Self.write("n,y,label\n" + numbered.joined(separator: "\n"), scratch, "n.csv"))
        #expect(
            try PreparedData(recipe.data, noise: recipe.noise, seed: 0).warnings.contains {
                $0.hasPrefix("column \"n\" counts the rows")
            })
    }
}
