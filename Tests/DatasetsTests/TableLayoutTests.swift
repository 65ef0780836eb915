import Diagnostics
import Testing

@testable import Datasets

/// A second table of the same data, and what a first line has to be.
@Suite struct TableLayoutTests {
    let first = "id,x,y,who,label\n1,1,2,p,b\n2,3,4,q,a\n"

    func read(_ text: String, _ options: TableOptions = .init(), file: String = "t.csv") throws
        -> Dataset
    { try TableFixture.read(text, options, file: file) }

    func training() throws -> Dataset {
        var options = TableOptions(label: "label", group: "who")
        options.id = "id"
        return try read(first, options)
    }

    func unlabelled(_ text: String, file: String = "new.csv", header: Bool = true) throws -> Dataset
    {
        let data = try training()
        var options = data.layout!.options(classNames: data.classNames)
        options.header = header
        return try Table.unlabelled(
            Array(text.utf8), file: file, options: options, classNames: data.classNames)
    }

    @Test(arguments: [
        "label,y,x\na,2,1\nb,4,3\n", "x,extra,y,label\n1,hello,2,a\n3,,4,b\n",
        "y;x;label;id\n2;1;a;9\n4;3;b;8\n", "who\tlabel\ty\tx\nu\ta\t2\t1\nv\tb\t4\t3\n",
    ])
    func columnsAreMatchedByName(text: String) throws {
        let options = try training().layout!.options(classNames: ["a", "b"])
        let data = try read(text, options)
        #expect(data.features == .table([1, 2, 3, 4], columns: ["x", "y"]))
        #expect(data.inputColumns == ["x", "y"])
        #expect(try data.columnOrder(for: ["x", "y"], file: "w") == nil)
        #expect(data.labels == [0, 1])
    }

    @Test func missingColumnsAreNamed() throws {
        let options = try training().layout!.options(classNames: ["a", "b"])
        #expect(
            failure { try read("X,y,label\n1,2,a\n", options) }
                == "t.csv: a column of training is missing: found no \"x\" (columns are matched by name, in any order)"
        )
        #expect(
            failure { try read("x,y\n1,2\n", options) }
                == "t.csv: column does not exist: found \"label\" (one of: x, y)")
        #expect(
            failure { try read("x,y,label\n1,2,c\n", options) }.contains("not one of the classes"))
    }

    @Test(arguments: [
        "x,y\n1,2\n3,4\n", "y,x\n2,1\n4,3\n", "label,y,x,noise\n?,2,1,\n?,4,3,\n",
        "\u{feff}x;y\r\n1;2\r\n3;4\r\n",
    ])
    func predictionReadsByName(text: String) throws {
        #expect(try unlabelled(text).features == .table([1, 2, 3, 4], columns: ["x", "y"]))
        #expect(try unlabelled(text).ids == nil)
    }

    @Test(arguments: [
        ("1,2\n3,4\n", false), ("7,1,2,p\n8,3,4,q\n", true), ("7,1,2,p,b\n8,3,4,q,a\n", true),
    ])
    func predictionWithoutHeaderReadsByPosition(text: String, hasID: Bool) throws {
        let data = try unlabelled(text, header: false)
        #expect(data.features == .table([1, 2, 3, 4], columns: hasID ? ["1", "2"] : ["0", "1"]))
        #expect(data.ids == (hasID ? ["7", "8"] : nil))
        #expect(
            failure { try unlabelled("1,2,3\n", header: false) }
                == "new.csv: wrong number of columns: found 3, expected 2 or 4 or 5 as in training "
                + "(without a header columns are matched by position)")
    }

    // MARK: Columns that options name beside a layout

    func again(
        _ text: String, header: Bool = false, labelled: Bool = true,
        _ change: (inout TableOptions) -> Void
    ) throws -> Dataset {
        var options = try training().layout!.options(classNames: ["a", "b"])
        options.header = header
        change(&options)
        guard !labelled else { return try read(text, options, file: "new.csv") }
        return try Table.unlabelled(
            Array(text.utf8), file: "new.csv", options: options, classNames: ["a", "b"])
    }

    /// Between the columns of the layout or in place of one that is no input; -1 is the last one.
    @Test(
        arguments: [
            ("b,1,2\na,3,4\n", 0, nil, nil), ("1,2,b\n3,4,a\n", -1, nil, nil),
            ("7,1,2,b,?\n8,3,4,a,?\n", 3, nil, "7 8"), ("7,1,2,p,b\n8,3,4,q,a\n", -1, nil, "7 8"),
            ("7,b,1,2,p\n8,a,3,4,q\n", 1, nil, "7 8"), ("b,1,2,s\na,3,4,t\n", 0, 3, "s t"),
            ("b,1,2,s,p\na,3,4,t,q\n", 0, 3, "s t"), ("?,1,2,7,b\n?,3,4,8,a\n", nil, 3, "7 8"),
            ("s,b,1,2\nt,a,3,4\n", 1, 0, "s t"),
        ] as [(String, Int?, Int?, String?)])
    func columnsWithoutNamesAreFoundByTheirPositions(
        text: String, label: Int?, id: Int?, ids: String?
    ) throws {
        let data = try again(text) {
            $0.label = label.map { .index($0) }
            $0.id = id.map { .index($0) }
        }
        guard case .table(let values, _) = data.features else { return }
        #expect(values == [1, 2, 3, 4] && data.labels == [1, 0])
        #expect(data.ids?.joined(separator: " ") == ids)
        // The labels are left out where they are not wanted.
        let bare = try again(text, labelled: false) {
            $0.label = label.map { .index($0) }
            $0.id = id.map { .index($0) }
        }
        #expect(bare.features == data.features && bare.ids == data.ids)
    }

    @Test func columnsAreAskedForOnce() throws {
        let twice = { (place: String) in
            "new.csv: column is asked for twice: found \"\(place)\""
        }
        let both = failure {
            try again("b,1,2\n") {
                $0.label = 0
                $0.id = 0
            }
        }
        #expect(both == twice("0"))
        #expect(
            failure { try again("1,2,3,4,5,6,7\n") { $0.label = 0 } }
                == "new.csv: wrong number of columns: found 7, expected 3 or 5 as in training "
                + "(without a header columns are matched by position)")
        let text = "id,x,y,label\nb,1,2,b\na,3,4,a\n"
        #expect(failure { try again(text, header: true) { $0.label = "id" } } == twice("id"))
        #expect(failure { try again(text, header: true) { $0.id = "label" } } == twice("label"))
        #expect(failure { try again(text, header: true) { $0.label = "x" } } == twice("x"))
        #expect(
            try again(text, header: true, labelled: false) { $0.id = "label" }.ids == ["b", "a"])
        // A dropped column that only looks like an identifier may hold the labels.
        let data = try read("Id,x,l\n1,2,a\n", .init(dropped: ["Id"]))
        var options = data.layout!.options(classNames: ["a", "b"])
        options.label = "Id"
        let other = try read("Id,x\nb,5\n", options)
        #expect(other.labels == [1] && other.ids == nil)
    }

    @Test func theLastColumnIsNotTheOneOfTraining() throws {
        let text = "x,y,label,who\n1,2,a,b\n3,4,b,a\n"
        #expect(try again(text, header: true) { _ in }.labels == [0, 1])
        #expect(try again(text, header: true) { $0.label = -1 }.labels == [1, 0])
        // Without a layout: given, it is left out where no label is wanted.
        let bytes = Array("x,y,l\n1,2,3\n".utf8)
        for (label, count) in [(nil, 3), (-1, 2)] as [(TableOptions.Column?, Int)] {
            let data = try Table.unlabelled(
                bytes, file: "t", options: .init(label: label), classNames: ["a"])
            #expect(data.columns?.count == count)
        }
    }

    /// Another text column changes nothing else of the layout.
    @Test func textColumnsOfOtherNames() throws {
        var options = TableOptions(delimiter: .semicolon, label: "label", text: "text")
        options.id = "id"
        let data = try read("id;text;label;note\n1;hello, you;a;x\n2;bye;b;y\n", options)
        options = data.layout!.options(classNames: data.classNames)
        options.text = "words"
        let named = try read("label;words;id\nb;hello, you;7\na;bye;8\n", options)
        #expect(named.columns == ["words"] && named.labels == [1, 0] && named.ids == ["7", "8"])
        options.header = false
        for (text, file, place) in [
            ("hello, you\nbye\n", "n.tsv", 0), ("4;hello, you\n5;bye\n", "n.csv", 1),
            ("a;b;c;d;hello, you\na;b;c;d;bye\n", "n.csv", 4), ("hello, you\nbye\n", "n.csv", 0),
        ] {
            options.text = .index(place)
            let bare = try Table.unlabelled(
                Array(text.utf8), file: file, options: options, classNames: data.classNames)
            guard case .text(let texts, _) = bare.features, case .text(let own, _) = data.features
            else { return }
            #expect(texts == own, "\(file) \(place)")
        }
    }

    @Test func identifiersAreCarried() throws {
        #expect(try training().ids == ["1", "2"])
        #expect(try training().subset([1]).ids == ["2"])
        #expect(try unlabelled("y,id,x\n2,a b,1\n").ids == ["a b"])
        // A dropped column whose name says what it is.
        let data = try read("Id,x,l\n1,2,a\n", .init(dropped: ["Id"]))
        let options = data.layout!.options(classNames: ["a"])
        let new = try Table.unlabelled(
            Array("x,Id\n5,17\n".utf8), file: "n", options: options, classNames: ["a"])
        #expect(new.ids == ["17"] && new.features == .table([5], columns: ["x"]))
    }

    @Test func columnsOfTwoTables() throws {
        let data = try read("x,y,l\n1,2,a\n3,4,b\n")
        let order = try #require(try data.columnOrder(for: ["y", "x"], file: "w"))
        let moved = data.reordered(order)
        #expect(moved.features == .table([2, 1, 4, 3], columns: ["y", "x"]))
        #expect(moved.inputColumns == ["y", "x"] && moved.labels == data.labels)
        #expect(
            try read("1,2,a\n", .init(header: false)).columnOrder(for: ["y", "x"], file: "w") == nil
        )
        #expect(
            failure { try data.columnOrder(for: ["x", "Y"], file: "w") }
                == "d: the columns are not those that the network was trained on: found no \"Y\", which w wants"
        )
    }

    /// Numbers that do not count from 0 or 1 are names like others.
    @Test func columnsThatAreNumbers() throws {
        let years = try read("2018,2016,2017,label\n3,1,2,yes\n6,4,5,no\n")
        func order(_ data: Dataset, _ columns: [String]) throws -> [Int]? {
            try data.columnOrder(for: columns, file: "w")
        }
        #expect(try order(years, ["2016", "2017", "2018"]) == [1, 2, 0])
        #expect(try order(years, ["0", "1", "2"]) == nil)
        #expect(try order(years, ["1", "2", "3"]) == nil)
        #expect(
            failure { try order(years, ["2015", "2016", "2017"]) }
                == "d: the columns are not those that the network was trained on: found no \"2015\", which w wants"
        )
        let pixels = try read("2,0,1,label\n3,1,2,yes\n6,4,5,no\n")
        #expect(try order(pixels, ["0", "1", "2"]) == [1, 2, 0])
        // Positions are no names, whichever columns they are of.
        let bare = try read("1,7,2,a\n", .init(header: false, dropped: [1]))
        #expect(bare.columns == ["0", "2"] && bare.inputColumns == nil)
        #expect(try order(bare, ["2", "0"]) == nil)
        #expect(try order(bare, ["x", "y"]) == nil)
    }

    @Test func pixelsInAnotherOrder() throws {
        let data = try read("a,b,c,d,l\n0,1,2,3,p\n4,5,6,7,q\n").asImages(
            channels: 1, height: 2, width: 2)
        let order = try #require(try data.columnOrder(for: ["d", "b", "c", "a"], file: "w"))
        let moved = data.reordered(order)
        #expect(
            moved.features
                == .images(bytes: [3, 1, 2, 0, 7, 5, 6, 4], channels: 1, height: 2, width: 2))
        #expect(moved.inputColumns == ["d", "b", "c", "a"] && moved.labels == data.labels)
        #expect(moved.layout?.names(.label) == ["l"])
    }

    @Test func classesOfTwoSources() throws {
        func places(_ a: [String], _ b: [String], whole: Bool = true) throws -> [Int] {
            try ClassMatch(a, among: b, whole: whole, file: "w").places
        }
        #expect(try places(["a", "b", "c"], ["c", "a", "b"]) == [1, 2, 0])
        #expect(try places(["a", "b"], ["0", "1"]) == [0, 1])
        #expect(try places(["0", "1"], ["a", "b"]) == [0, 1])
        #expect(try places(["b"], ["a", "b"], whole: false) == [1])
        #expect(
            failure { try places(["a", "b"], ["a", "c"]) }
                == "w: the network knows other classes than the data: found 2 classes, among them \"c\", expected "
                + "2 classes, among them \"b\" (data.class-names names the classes of the data, in the order of their numbers)"
        )
        // Numbers that are names are no placeholders.
        for (a, b) in [
            (["1", "2"], ["0", "1"]), (["0", "1"], ["1", "2"]), (["a", "b"], ["0", "1", "2"]),
        ] {
            #expect(throws: Problem.self) { try places(a, b) }
        }
    }

    // MARK: Absent things

    @Test(arguments: ["NaN", "nan", "null", "None", "NA", "N/A", "-", "?", "<NA>", "#N/A"])
    func absentLabelsAreNoClass(word: String) throws {
        #expect(
            failure { try read("a,l\n1,x\n2,\(word)\n3,\(word)\n") }
                == "t.csv, line 3, column l: a word that stands for an absent value: found \"\(word)\" in 2 rows, "
                + "expected a label (remove these rows, or list the word in data.class-names if it is a class)"
        )
        #expect(
            try read("a,l\n1,x\n2,\(word)\n", .init(classNames: ["x", word])).labels == [0, 1])
        #expect(failure { try read("a,g,l\n1,\(word),x\n", .init(group: "g")) }.contains("a group"))
    }

    @Test(arguments: [
        "5.1,3.5,setosa\n4.9,3.0,setosa\n", "5.1,3.5,0.2,virginica\n4.9,3.0,0.1,setosa\n",
        "3,x,b\n4,1,b\n",
    ])
    func headersThatAreSamples(text: String) {
        #expect(failure { try read(text) }.contains("the header seems to be a sample"))
        #expect(failure { try read(text) }.contains("set data.header: false"))
    }

    /// The hint, taken at its word.
    @Test(arguments: [
        ("3,x,b\n4,1,b\n", "rename the label column", "3,x,kind\n4,1,b\n"),
        (
            "5.1,3.5,0.2,virginica\n4.9,3.0,0.1,setosa\n", "name the label column \"label\"",
            "5.1,3.5,0.2,label\n4.9,3.0,0.1,setosa\n"
        ),
    ])
    func headersThatOnlySeemToBeSamples(text: String, hint: String, mended: String) throws {
        #expect(
            failure { try read(text) }.hasSuffix(
                "or give --no-header; in one with a header \(hint))"))
        #expect(try read(mended).count == 1)
    }

    @Test(arguments: [
        "2016,2017,2018,grown\n1,2,3,yes\n", "400.5,401,401.5,kind\n1,2,3,a\n",
        "0,1,label\n1,2,3\n",
        "a,b,x\n1,2,x\n",
    ])
    func headersOfNumbersThatRise(text: String) throws {
        #expect(try read(text).count == 1)
    }

    @Test func unnamedColumnsAreNoFeatures() throws {
        for name in ["", "Unnamed: 0"] {
            #expect(
                failure { try read("\(name),a,l\n0,1,x\n1,2,y\n") }
                    == "t.csv, line 1, column 0: a column has no name: expected a name for every feature "
                    + "(data.drop: [0] leaves it out, data.id: 0 carries it into the outputs)")
            #expect(try read("\(name),a,l\n0,1,x\n1,2,y\n", .init(dropped: [0])).columns == ["a"])
        }
    }

    @Test func blankLinesOfOneColumn() throws {
        var options = TableOptions()
        options.layout = try read("x,l\n1,a\n2,b\n").layout
        func new(_ text: String) throws -> Dataset {
            try Table.unlabelled(
                Array(text.utf8), file: "n.csv", options: options, classNames: ["a", "b"])
        }
        #expect(try new("x\n1\n2\n\n\n").count == 2)
        for text in ["x\n1\n\n2\n", "x\r\n1\r\n\r\n2", "x\n\n1\n"] {
            #expect(failure { try new(text) }.contains("column x: cell is empty"))
        }
    }

    @Test(arguments: [
        ("1,5", "for a decimal comma set data.decimal: comma, or give --decimal comma"),
        ("1.234,5", "for a decimal comma set data.decimal: comma, or give --decimal comma"),
        ("1 234", "write thousands without separators"),
        ("1,234,567.8", "write thousands without separators"),
        (
            "1,234",
            "write thousands without separators, or for a decimal comma set data.decimal: comma, or give --decimal comma"
        ),
        ("NaN", "it stands for an absent value: fill it in, or drop the row or the column"),
    ])
    func hintsForNumbers(cell: String, hint: String) {
        #expect(
            failure { try read("a;l\n0;y\n\(cell);x\n", .init(delimiter: .semicolon)) }
                == "t.csv, line 3, column a: cell is not a number: found \"\(cell)\" (\(hint))")
    }

    @Test func decimalComma() throws {
        var options = TableOptions(delimiter: .semicolon)
        options.decimal = .comma
        let data = try read("a;b;l\n1,5;-2;x\n,5;1,0e-2;y\n", options)
        #expect(data.features == .table([1.5, -2, 0.5, 0.01], columns: ["a", "b"]))
        #expect(failure { try read("a;l\n1.5;x\n", options) }.contains("set data.decimal: point"))
    }

    @Test func namesAreBounded() {
        let marks = "a" + String(repeating: "\u{301}", count: 40_000)
        for text in ["a,l\n1,\(marks)\n2,\(marks)\n", "\(marks),l\n1,x\n"] {
            #expect(failure { try read(text) }.contains("text that cannot be a name"))
        }
        let long = String(repeating: "x", count: 1025)
        #expect(failure { try read("a,l\n1,\(long)\n") }.contains("found 1025 bytes"))
        #expect(failure { try read("a,g,l\n1,\(long),x\n", .init(group: "g")) }.contains("1025"))
    }
}
