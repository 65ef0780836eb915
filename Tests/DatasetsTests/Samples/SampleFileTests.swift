import Diagnostics
import Testing

@testable import Datasets

/// Files that put labels in the place of given ones, and weights.
@Suite struct SampleFileTests {
    private let data = try! Dataset(
        name: "table", features: .table([0, 1, 2, 3], columns: ["x"]), labels: [0, 1, 2, 0],
        clean: [0, 1, 2, 1], classNames: ["cat", "dog", "owl"], ids: ["a", "b", "c\u{1b}", "d"])

    private func edits(_ text: String, of data: Dataset? = nil) throws -> LabelEdits {
        let scratch = try Scratch()
        let path = try scratch.file("labels.csv", Array(text.utf8))
        return try LabelEdits(SampleFileOptions(file: path), for: data ?? self.data)
    }

    /// What follows the file's path.
    private func refused(_ text: String, of data: Dataset? = nil) -> String {
        let said = failure { try edits(text, of: data) }
        return said.range(of: "labels.csv").map { String(said[$0.upperBound...]) } ?? said
    }

    @Test(arguments: [
        "sample,label\n3,dog\n0,\n", "label,sample\r\n1,3\r\n,0\r\n",
        "\u{feff}Sample,Label\n0,\"\"\n3,\"dog\"\n", "id,label\nd,1\na,\n",
        "sample,id,label\n3,d,dog\n0,a,\n",
        // Of samples that are not kept, labels do not count.
        "sample,label,keep\n3,dog,1\n0,owl,no\n1,,yes\n",
        "sample,label,keep\n3,1,true\n0,,0\n1,,TRUE\n",
    ])
    func labelsAndSamplesLeftOut(_ text: String) throws {
        #expect(try edits(text) == LabelEdits(labels: [3: 1], leftOut: [0]))
    }

    @Test func idsAsOutputsWriteThem() throws {
        #expect(try edits("id,label\nc\\u{1B},cat\n").labels == [2: 0])
        #expect(try edits("id,label\nc\u{1b},cat\n").labels == [2: 0])
    }

    @Test func aFileWithoutRowsSaysNothing() throws {
        #expect(try edits("sample,label\n").isEmpty)
    }

    @Test(arguments: [
        ("", ", line 1: the file is empty: expected a header such as sample,label"),
        (
            "sample,lable\n",
            ", line 1: unknown column: found \"lable\" (did you mean \"label\"?)"
        ),
        (
            "label\n0\n",
            ", line 1: a column is missing: found \"label\", expected a header such as sample,label"
        ),
        (
            "sample,keep\n0,1\n",
            ", line 1: a column is missing: found \"sample,keep\", expected a header such as sample,label"
        ),
        ("sample,label,label\n", ", line 1: column named twice: found \"label\""),
        (
            "sample,label\n0,cat,1\n",
            ", line 2: wrong number of columns: found 3, expected 2 as in the header"
        ),
        (
            "sample,label\n4,cat\n",
            ", line 2: no such sample: found \"4\", expected 0 to 3, rows of the data counted from 0"
        ),
        (
            "sample,label\n-1,cat\n",
            ", line 2: no such sample: found \"-1\", expected 0 to 3, rows of the data counted from 0"
        ),
        ("id,label\ne,cat\n", ", line 2: no sample has this id: found \"e\""),
        (
            "sample,label\n0,cat\n\n1,cat\n",
            ", line 3: blank line among the rows (samples without a row need no line)"
        ),
        (
            "sample,label\n0,cat\n1,cat\n0,dog\n",
            ", line 4: sample 0 stood before, on line 2"
        ),
        (
            "sample,id,label\n0,b,cat\n",
            ", line 2: sample and id do not agree: found sample 0 with the id of sample 1 (is the file made "
                + "for this data, in this order?)"
        ),
        (
            "sample,label\n0,cta\n",
            ", line 2: unknown label: found \"cta\", expected class names, or numbers 0...2 throughout "
                + "(did you mean \"cat\"?)"
        ),
        (
            "sample,label\n0,3\n",
            ", line 2: unknown label: found \"3\", expected class names, or numbers 0...2 throughout"
        ),
        (
            "sample,label,keep\n0,cat,maybe\n",
            ", line 2: column keep is neither yes nor no: found \"maybe\", expected 1 or 0, true or false, "
                + "yes or no"
        ),
    ])
    func oneLine(_ text: String, _ sentence: String) {
        #expect(refused(text) == sentence)
    }

    @Test func idsThatDoNotNameSamples() throws {
        func data(_ ids: [String]?) throws -> Dataset {
            try Dataset(
                name: "table", features: .table([0, 1], columns: ["x"]), labels: [0, 1],
                classNames: ["cat", "dog"], ids: ids)
        }
        #expect(
            refused("id,label\na,cat\n", of: try data(nil))
                == ", line 1: the data has no id column: found column id, expected column sample, counted "
                + "from 0 (data.id names a column of table)")
        #expect(
            refused("id,label\na,cat\n", of: try data(["a", "a"]))
                == ", id a: two samples have one id: found samples 0 and 1 (name samples by column sample, "
                + "counted from 0)")
        #expect(try edits("sample,label\n0,dog\n", of: try data(["a", "a"])).labels == [0: 1])
    }

    @Test func subsetsCountAnew() {
        let edits = LabelEdits(labels: [3: 1, 1: 0], leftOut: [0])
        #expect(edits.subset([3, 0]) == LabelEdits(labels: [0: 1], leftOut: [1]))
        #expect(edits.without([3, 0]) == LabelEdits(labels: [1: 0]))
        #expect(
            LabelEdits(leftOut: [1]).hashOfLeftOut != LabelEdits(leftOut: [2]).hashOfLeftOut)
        #expect(LabelEdits(labels: [1: 0]).hashOfLeftOut.isEmpty)
    }

    /// Given labels change, true ones do not: what is measured is the noise that is there.
    @Test func noiseIsMeasuredAnew() throws {
        let noisy = try LabelNoise(.symmetric, rate: 0.5).apply(
            labels: [0, 1, 2, 0], classCount: 3, ids: [5, 6, 7, 8], seed: 3)
        #expect(noisy.edited(by: LabelEdits()) == noisy)
        let edited = noisy.edited(by: LabelEdits(labels: [5: 1, 6: 1, 8: 0], leftOut: [7]))
        #expect(edited.ids == [5, 6, 8])
        #expect(edited.labels == [1, 1, 0] && edited.clean == [0, 1, 0])
        #expect(edited.realisedRate == 1.0 / 3)
        #expect(edited.realisedTransition?[0] == [0.5, 0.5, 0])
        #expect(edited.intendedRate == nil && noisy.intendedRate == 0.5)
        // Where nothing is known, a file tells nothing of the truth either.
        let unknown = LabelNoise.measured(given: [0, 1], clean: nil, classCount: 2, ids: [0, 1])
        let told = unknown.edited(by: LabelEdits(labels: [0: 1]))
        #expect(told.labels == [1, 1] && told.realisedRate == nil && !told.knowsClean)
    }

    // MARK: Weights

    private func weights(_ text: String) throws -> SampleWeights {
        let scratch = try Scratch()
        let path = try scratch.file("weights.csv", Array(text.utf8))
        return try SampleWeights(SampleFileOptions(file: path), for: data)
    }

    @Test func samplesWithoutARowCountOnce() throws {
        let weights = try weights("weight,sample\n0.5,2\n0,0\n")
        #expect(weights.values == [0, 1, 0.5, 1])
        #expect(weights.subset([2, 1]).values == [0.5, 1])
        // Divided by their mean.
        #expect(weights.normalised(of: [0, 1, 2]) == [0, 2, 1])
        #expect(weights.normalised(of: [0]) == nil)
        #expect(weights.sha256 != SampleWeights([0, 1, 1, 1]).sha256)
    }

    @Test(arguments: ["-1", "nan", "inf", "one", "", "1e7"])
    func weightsOfOtherKinds(_ word: String) {
        let said = failure { try weights("sample,weight\n1,\(word)\n") }
        #expect(
            said.hasSuffix(
                "weights.csv, line 2: not a weight: found \"\(word)\", expected a number from 0 to 1000000"
            ), "\(said)")
    }
}
