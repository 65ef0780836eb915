import Diagnostics

extension Table {
    /// The columns of a file: their names, and what becomes of each.
    struct Columns {
        /// The positions where there is no header.
        let names: [String]
        let roles: [TableLayout.Role]
        /// Positions of the features, or of the text, in the order in which a network sees them.
        let inputs: [Int]
        /// Positions of labels, groups and identifiers.
        let others: [Int]
        /// The header's line; nil without a header.
        private let headerLine: Int?

        typealias Role = TableLayout.Role

        /// - Parameter first: the cells of the first record.
        init(
            first: [String], line: Int, file: String, options: TableOptions, labelled: Bool
        ) throws(Problem) {
            headerLine = options.header ? line : nil
            if options.header {
                try Columns.checkHeader(first, file: file, line: line)
                names = first.enumerated().map { $1.isEmpty ? "\($0)" : $1 }
            } else {
                names = first.indices.map { "\($0)" }
            }
            if let layout = options.layout {
                (roles, inputs) = try Columns.matched(
                    names, layout, options, file: file, labelled: labelled)
            } else {
                let found = try Columns.roles(names, options, file: file, labelled: labelled)
                inputs = found.indices.filter { found[$0] == .feature || found[$0] == .text }
                roles = found
                guard !inputs.isEmpty else {
                    throw .noFeatureColumn(file, names.count, first: first.first ?? "")
                }
                if options.header, let unnamed = inputs.first(where: { isUnnamed(first[$0]) }),
                    roles[unnamed] == .feature
                {
                    throw .unnamedColumn(file, line: line, unnamed)
                }
            }
            others = roles.enumerated().compactMap { i, role in
                switch role {
                case .label, .clean, .group, .id: i
                case .feature, .text, .dropped: nil
                }
            }
        }

        private static func checkHeader(
            _ names: [String], file: String, line: Int
        ) throws(Problem) {
            for (i, name) in names.enumerated() {
                guard let fault = NameRule.fault(in: name) else { continue }
                throw .unusableName(file, line: line, column: "\(i)", fault)
            }
            var seen: Set<String> = []
            for name in names where !name.isEmpty && !seen.insert(name).inserted {
                throw .columnTwice(file, line: line, name, isNumber: Double(name) != nil)
            }
            // Numbered columns are a header, other numbers are somebody's first sample.
            if names.allSatisfy({ Double($0) != nil }), firstNumber(of: names) == nil {
                throw .headerOfNumbers(file, line: line)
            }
        }

        /// Refuses a first line that is a sample: its label is one of the labels, or its features are
        /// numbers that do not rise, as positions, years and wavelengths do.
        func checkIsHeader(labels: [String], label: Int, file: String) throws(Problem) {
            guard let headerLine else { return }
            let features = inputs.filter { roles[$0] == .feature }.map { Double(names[$0]) }
            let numbers = features.compactMap(\.self)
            let isText = roles.contains(.text)
            let isLabel = labels.contains(names[label]) && (isText || !numbers.isEmpty)
            let rises = zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }
            let isData =
                numbers.count > 1 && numbers.count == features.count && !rises
                && Double(names[label]) == nil
                && !["label", "class", "target", "y"].contains(
                    names[label].lowercased())
            guard isLabel || isData else { return }
            throw .headerIsData(file, line: headerLine, label: isLabel ? names[label] : nil)
        }

        // MARK: Roles by the options

        private static func roles(
            _ header: [String], _ options: TableOptions, file: String, labelled: Bool
        ) throws(Problem) -> [Role] {
            // What becomes of a column of which nothing is said.
            let rest: Role = options.text == nil ? .feature : .dropped
            var roles = [Role](repeating: rest, count: header.count)
            func give(_ column: TableOptions.Column, _ role: Role) throws(Problem) {
                // Without labels, a file need not have the columns that go with them.
                let mayLack = role != .dropped && role != .text
                if !labelled, mayLack, case .name(let name) = column, !header.contains(name) {
                    return
                }
                let at = try place(of: column, in: header, file)
                guard roles[at] == rest else { throw .columnRoles(file, header[at]) }
                roles[at] = labelled || role == .text || role == .id ? role : .dropped
            }
            if let column = options.text { try give(column, .text) }
            if let label = options.label ?? (labelled ? .index(-1) : nil) {
                try give(label, .label)
            }
            if let column = options.clean { try give(column, .clean) }
            if let column = options.group { try give(column, .group) }
            if let column = options.id { try give(column, .id) }
            for column in options.dropped { try give(column, .dropped) }
            return roles
        }

        private static func place(
            of column: TableOptions.Column, in header: [String], _ file: String
        ) throws(Problem) -> Int {
            switch column {
            case .index(let index):
                // Far below the least number: no overflow.
                let place = index < 0 && index > -1 << 32 ? header.count + index : index
                guard header.indices ~= place else {
                    throw .noColumn(
                        file, index, count: header.count, isName: header.contains("\(index)"))
                }
                return place
            case .name(let name):
                guard let place = header.firstIndex(of: name) else {
                    throw .noColumn(file, name, among: header)
                }
                return place
            }
        }

        // MARK: Roles by a layout

        private static func matched(
            _ header: [String], _ layout: TableLayout, _ options: TableOptions, file: String,
            labelled: Bool
        ) throws(Problem) -> ([Role], inputs: [Int]) {
            guard options.header, layout.header else {
                return try byPosition(header, layout, options, file: file, labelled: labelled)
            }
            var roles = [Role](repeating: .dropped, count: header.count)
            var inputs: [Int] = []
            let known = places(of: header)
            if let text = options.text {
                inputs = [try place(of: text, in: header, file)]
                roles[inputs[0]] = .text
            } else {
                for column in layout.columns where isInput(column.role) {
                    guard let at = known[column.name] else {
                        throw .columnMissing(file, column.name, among: header)
                    }
                    roles[at] = column.role
                    inputs.append(at)
                }
            }
            /// Gives a role of the layout to a column that has none yet, if there is such a column.
            func giveIfFree(_ name: String?, _ role: Role) {
                guard let at = name.flatMap({ known[$0] }), roles[at] == .dropped else { return }
                roles[at] = role
            }
            if labelled {
                for column in layout.columns where column.role == .clean || column.role == .group {
                    giveIfFree(column.name, column.role)
                }
            }
            if let id = options.id {
                let at = try place(of: id, in: header, file)
                guard roles[at] == .dropped else { throw .columnRoles(file, header[at]) }
                roles[at] = .id
            } else {
                giveIfFree(layout.names(.id).first, .id)
            }
            if labelled {
                let own = layout.names(.label).first.map { TableOptions.Column.name($0) }
                let at = try place(of: options.label ?? own ?? .index(-1), in: header, file)
                guard !isInput(roles[at]), roles[at] != .id else {
                    throw .columnRoles(file, header[at])
                }
                roles[at] = .label
            }
            if !roles.contains(.id) { giveIfFree(layout.identifier, .id) }
            return (roles, inputs)
        }

        private static func isInput(_ role: Role) -> Bool { role == .feature || role == .text }

        /// Without names the columns stand as in the layout: all of them, all but the labels, or those
        /// that a network sees and no other. The columns that the options name may be among them, in
        /// place of a column that is no input, or stand between them.
        private static func byPosition(
            _ header: [String], _ layout: TableLayout, _ options: TableOptions, file: String,
            labelled: Bool
        ) throws(Problem) -> ([Role], inputs: [Int]) {
            var given: [Int: Role] = [:]
            let asked: [(TableOptions.Column?, Role)] = [
                (options.text, .text), (options.label, .label), (options.id, .id),
            ]
            for (column, role) in asked {
                guard let column else { continue }
                let at = try place(of: column, in: header, file)
                guard given.updateValue(role, forKey: at) == nil else {
                    throw .columnRoles(file, header[at])
                }
            }
            let needsLabel = labelled && options.label == nil
            func forms(_ all: [Role]) -> [[Role]] {
                let inputs = all.filter(isInput)
                if labelled { return [all, needsLabel ? inputs + [.label] : inputs] }
                return [
                    all, all.filter { $0 != .label },
                    all.filter { $0 != .label && $0 != .clean }, inputs,
                ]
            }
            let whole = forms(layout.columns.map(\.role))
            let rest = forms(
                layout.columns.map(\.role).filter { !given.values.contains($0) })
            func fits(_ form: [Role]) -> Bool {
                form.count == header.count
                    && given.allSatisfy { at, role in
                        form[at] == role
                            || !isInput(form[at]) && !(form[at] == .label && needsLabel)
                    }
            }
            var roles: [Role]
            if let form = whole.first(where: fits) {
                roles = form.map { given.values.contains($0) ? .dropped : $0 }
                for (at, role) in given { roles[at] = role }
            } else if let form = rest.first(where: { $0.count + given.count == header.count }) {
                var next = form.makeIterator()
                roles = header.indices.map { given[$0] ?? next.next() ?? .dropped }
            } else if options.text != nil, !needsLabel {
                // All that a network on texts and its labels need is given.
                roles = header.indices.map { given[$0] ?? .dropped }
            } else {
                let counts = Set(
                    whole.filter { given.isEmpty || !$0.allSatisfy(isInput) }.map(\.count)
                        + rest.map { $0.count + given.count })
                if counts.contains(header.count), let at = given.keys.min() {
                    throw .columnRoles(file, header[at])
                }
                throw .columnCount(file, header.count, expected: counts.sorted())
            }
            if !labelled {
                roles = roles.map { isInput($0) || $0 == .id ? $0 : .dropped }
            }
            return (roles, roles.indices.filter { isInput(roles[$0]) })
        }
    }
}

/// Whether a header's cell names nothing: empty, or what pandas makes of an empty one.
private func isUnnamed(_ name: String) -> Bool {
    guard !name.isEmpty else { return true }
    let rest = name.dropFirst("Unnamed: ".count)
    return name.hasPrefix("Unnamed: ") && !rest.isEmpty
        && rest.utf8.allSatisfy { 0x30...0x39 ~= $0 }
}
