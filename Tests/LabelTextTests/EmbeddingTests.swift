import Diagnostics
import Foundation
import LabelText
import SafeTensors
import Testing

struct EmbeddingTests {
    @Test func oneHotIsTheUnitMatrix() throws {
        let made = try LabelEmbeddings.oneHot(classes: ["a", "b", "c"])
        #expect(made.dimension == 3)
        #expect(made.values == [1, 0, 0, 0, 1, 0, 0, 0, 1])
        #expect(made.identicalClasses.isEmpty)
    }

    @Test func randomVectorsAreStandardNormalAndDependOnTheSeedAlone() throws {
        let names = (0..<40).map { "class \($0)" }
        let a = try LabelEmbeddings.random(classes: names, dimension: 500, seed: 3)
        let again = try LabelEmbeddings.random(classes: names, dimension: 500, seed: 3)
        let other = try LabelEmbeddings.random(classes: names, dimension: 500, seed: 4)
        #expect(a == again)
        #expect(a.values != other.values)
        // 20,000 draws: four standard errors of the mean and of the variance.
        let mean = a.values.reduce(0, +) / 20_000
        let square = a.values.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean) < 4 / 20_000.0.squareRoot().float)
        #expect(abs(square - 1) < 4 * (2 / 20_000.0).squareRoot().float)
        // A class keeps its vector when others come behind it.
        let fewer = try LabelEmbeddings.random(classes: ["x"], dimension: 500, seed: 3)
        #expect(Array(fewer.values) == Array(a[0]))
    }

    @Test func rowsAreMatchedByNameWhateverTheFormat() throws {
        let scratch = try Scratch()
        var byName = SafeTensorsWriter()
        byName.add("dog", floats: [3, 4], shape: [2])
        byName.add("cat", floats: [1, 2], shape: [2])
        byName.add("emu", floats: [5, 6], shape: [2])
        var matrix = SafeTensorsWriter(metadata: ["classes": #"["emu","dog","cat"]"#])
        matrix.add("embeddings", floats: [5, 6, 3, 4, 1, 2], shape: [3, 2])
        let files = [
            try scratch.write("names.safetensors", byName.encoded()),
            try scratch.write("matrix.SafeTensors", matrix.encoded()),
            try scratch.write("plain.csv", "emu,5,6\ncat,1,2\ndog,3,4\n"),
            try scratch.write("head.csv", "class,x,y\ndog,3,4\nemu,5,6\ncat,1,2e0\n"),
            try scratch.write("counted.csv", "\"name\",0,1\n\"cat\",1,2\ndog,3,4.0\n"),
            try scratch.write("tabs.tsv", "cat\t1\t2\ndog\t3\t4\n"),
        ]
        for file in files {
            let made = try LabelEmbeddings.file(file, classes: ["cat", "dog"])
            #expect(made.values == [1, 2, 3, 4], "\(file)")
            #expect(made.dimension == 2)
            #expect(made.source == "file \(file)")
        }
    }

    @Test func whatIsWrittenReadsBackInAnyOrder() throws {
        let scratch = try Scratch()
        let names = ["T-shirt/top", "Ankle boot", "größe, \"quoted\"", "靴"]
        let made = try LabelEmbeddings.random(classes: names, dimension: 7, seed: 1)
        let file = try scratch.write("x.safetensors", made.encoded(metadata: ["model": "none"]))
        let back = try LabelEmbeddings.file(file, classes: names.reversed())
        for i in names.indices { #expect(Array(back[3 - i]) == Array(made[i])) }
    }

    @Test func classesWithEqualVectorsAreFound() throws {
        let scratch = try Scratch()
        let file = try scratch.write("x.csv", "a,1,2\ncrane,3,4\nb,1,2\ncrane bird,3,4\nc,0,0\n")
        let made = try LabelEmbeddings.file(file, classes: ["a", "crane", "b", "c", "crane bird"])
        #expect(made.identicalClasses == [["a", "b"], ["crane", "crane bird"]])
    }

    @Test func whatIsWrongIsSaidInOneLine() throws {
        let scratch = try Scratch()
        func csv(_ text: String) -> String? {
            scratch.line {
                let file = try scratch.write("x.csv", text)
                _ = try LabelEmbeddings.file(file, classes: ["cat", "dog"])
            }
        }
        func tensors(
            _ rows: [(String, [Float], [Int])], metadata: [String: String] = [:]
        ) -> String? {
            scratch.line {
                var writer = SafeTensorsWriter(metadata: metadata)
                for row in rows { writer.add(row.0, floats: row.1, shape: row.2) }
                let file = try scratch.write("x.safetensors", writer.encoded())
                _ = try LabelEmbeddings.file(file, classes: ["cat", "dog"])
            }
        }
        #expect(
            csv("cat,1,2\ndgo,3,4\n")
                == #"x.csv, class "dog": no vector for a class (did you mean "dgo"?)"#)
        #expect(
            csv("cat,1,2\nelephant,3,4\n")
                == #"x.csv, class "dog": no vector for a class (the file has: cat, elephant)"#)
        #expect(
            csv("cat,1,2\ndog,3,4\ncat,1,2\n") == #"x.csv, class "cat": two vectors for one class"#)
        #expect(
            csv("cat,1,2\ndog,3\n") == "x.csv, line 2: wrong number of cells: found 2, expected 3")
        #expect(
            csv("cat,1,2\ndog,3,nan\n")
                == #"x.csv, line 2, column 2: cell is not a number: found "nan" (it stands for an absent value: fill it in, or drop the row or the column)"#
        )
        #expect(csv("") == "x.csv: table has no samples")
        #expect(
            tensors([("cat", [1, 2], [2]), ("dog", [3], [1])])
                == #"x.safetensors, class "dog": label vectors of different lengths: found 1 values, expected 2, as for "cat""#
        )
        #expect(
            tensors([("cat", [1, 2], [2]), ("dog", [3, .nan], [2])])
                == #"x.safetensors, class "dog": value is not finite: found nan"#)
        #expect(
            tensors([("cat", [1, 2], [2]), ("dog", [3, 4], [1, 2])])
                == #"x.safetensors, class "dog": a tensor that is no label vector: found shape [1, 2], expected one dimension, or a single matrix and its names in the metadata"#
        )
        #expect(tensors([]) == "x.safetensors: no label vectors")
        #expect(
            tensors([("e", [1, 2, 3, 4], [2, 2])])
                == #"x.safetensors: the matrix does not say which row is which class: expected metadata "classes": a JSON list of the names"#
        )
        #expect(
            tensors([("e", [1, 2, 3, 4], [2, 2])], metadata: ["classes": #"["cat"]"#])
                == "x.safetensors: names and rows differ in number: found 1 names, expected 2")
        #expect(
            tensors([("e", [1, 2, 3, 4], [2, 2])], metadata: ["classes": #"["cat","cat"]"#])
                == #"x.safetensors, class "cat": two vectors for one class"#)
        #expect(
            tensors([("cat", [], [0]), ("dog", [], [0])])
                == "x.safetensors: label vectors of an unusable size: found 2 of 0 values, expected 1 to 65536 values, 134217728 together at most"
        )
        #expect(
            scratch.line { _ = try LabelEmbeddings.oneHot(classes: []) }
                == "no class names to embed")
    }
}

extension Double {
    var float: Float { Float(self) }
}
