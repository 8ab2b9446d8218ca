# Countersign. `make` builds both binaries; `make check` runs the default suite. `V=1` shows every command.
# BUILD chooses the output folder, SANITIZE=1 adds ASan and UBSan (used by `make sanitize` with its own folder).

BUILD    ?= build
SANITIZE ?=
V        ?=
CC       ?= cc
CXX      ?= c++
Q         = $(if $(V),,@)
say       = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

VERSION  := $(shell cat VERSION)
PACKAGES := jansson sqlite3 openssl yaml-0.1 libsodium libcurl libwebsockets re2
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla -Wformat=2 \
            -Wimplicit-fallthrough -Wswitch-enum -Werror
HARDEN   := -fstack-protector-strong -fstack-clash-protection -fno-delete-null-pointer-checks -fno-strict-overflow \
            -fno-strict-aliasing -ftrivial-auto-var-init=zero -fPIE
ifeq ($(SANITIZE),)
HARDEN   += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fcf-protection=full
OPTIMISE := -O2 -g
else
OPTIMISE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
ifneq ($(shell uname -m),x86_64)
HARDEN   := $(filter-out -fcf-protection=full,$(HARDEN))
endif

comma    := ,
CPPFLAGS := -Igateway -I. -D_GNU_SOURCE -DCOUNTERSIGN_VERSION='"$(VERSION)"' -ffile-prefix-map=$(CURDIR)=. \
            $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS   := -std=gnu17 $(OPTIMISE) $(WARNINGS) $(HARDEN)
# The shim over RE2 alone is C++.
CXXFLAGS := -std=gnu++17 $(OPTIMISE) -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Werror $(HARDEN)
LDFLAGS  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed $(if $(SANITIZE),-fsanitize=address$(comma)undefined)
LIBS     := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lstdc++ -lev -lpthread -lm

# Rooms. The clock that is linked is a choice of file: the product reads the system's, countersignd-scripted a test's.
ROOMS    := base formats crypto metrics loop ledger grants approvals requests identity store store/sqlite trust operations \
            api live courier admin config
SOURCES  := $(filter-out gateway/base/system_clock.c policy/cel/example.c,$(wildcard $(ROOMS:%=gateway/%/*.c) \
            policy/*.c policy/cel/*.c notifiers/*.c notifiers/*/*.c))
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/policy/cel/regex.o $(BUILD)/generated/migrations.o \
            $(BUILD)/generated/templates.o $(BUILD)/generated/web.o $(BUILD)/generated/zones.o
PAGES    := $(sort $(shell find web/dist -type f 2>/dev/null))
LIBRARY  := $(BUILD)/libcountersign.a
CLOCK    := $(BUILD)/gateway/base/system_clock.o
SCRIPTED := $(BUILD)/tests/support/scripted_clock.o
CLI      := $(patsubst %.c,$(BUILD)/%.o,$(wildcard clients/cli/*.c))
UNIT     := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*/test_*.c tests/contract/test_*.c))
SUPPORT  := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/support/scripted_clock.c,$(wildcard tests/support/*.c)))
TOOLS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/conformance/*.c tests/faults/*.c tests/journeys/*.c)) \
            $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/*.c))
# CEL alone, for other programs: policy/cel/example.c is one.
CEL      := $(BUILD)/libcel.a
CEL_OF   := $(filter $(BUILD)/policy/cel/%,$(OBJECTS)) $(BUILD)/generated/zones.o \
            $(patsubst %,$(BUILD)/gateway/base/%.o,arena builder check distance error memory)

# Keeps the list of the dashboard's files, so that one taken away is noticed too.
$(shell mkdir -p $(BUILD)/generated; echo '$(PAGES)' | cmp -s - $(BUILD)/generated/web.list || \
  echo '$(PAGES)' >$(BUILD)/generated/web.list)

.PHONY: all web check unit check-floors check-headers conformance bench faults fuzz sanitize format clean
.DELETE_ON_ERROR:
.PRECIOUS: $(BUILD)/%.o $(BUILD)/generated/%.c

all: $(BUILD)/countersignd $(BUILD)/countersign

$(BUILD)/countersignd: $(BUILD)/gateway/main.o $(CLOCK) $(LIBRARY)
$(BUILD)/countersignd-scripted: $(BUILD)/gateway/main.o $(SCRIPTED) $(LIBRARY)
$(BUILD)/countersign: $(CLI) $(CLOCK) $(LIBRARY)
$(BUILD)/countersignd $(BUILD)/countersignd-scripted $(BUILD)/countersign:
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.cc
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/generated/migrations.c: $(sort $(wildcard gateway/store/sqlite/migrations/*.sql)) script/embed
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q)script/embed store_sqlite_migrations $(filter %.sql,$^) > $@

$(BUILD)/generated/templates.c: $(sort $(wildcard notifiers/template/templates/*.json)) script/embed
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q)script/embed notifiers_templates $(filter %.json,$^) > $@

$(BUILD)/generated/web.c: $(PAGES) $(BUILD)/generated/web.list script/embed-web
	$(call say,EMBED,$@)
	$(Q)script/embed-web web/dist > $@

$(BUILD)/generated/web.o: gateway/api/web_internal.h

# The rules of the time zones are those of the machine that builds; without tzdata there are none.
ZONES    ?= /usr/share/zoneinfo
$(BUILD)/generated/zones.c: $(wildcard $(ZONES)/tzdata.zi) script/embed-zones
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q)script/embed-zones $(ZONES) > $@

$(BUILD)/generated/zones.o: policy/cel/zone.h

# Builds the dashboard anew; web/dist is kept in the repository, so that the gateway builds without Node.
web:
	$(Q)cd web && npm ci --ignore-scripts --no-audit --no-fund && npx tsc --noEmit && node build.mjs

$(BUILD)/generated/%.o: $(BUILD)/generated/%.c
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# A test program is one file with its own main, linked with everything and the system clock.
$(BUILD)/tests/unit/% $(BUILD)/tests/contract/%: private LIBS += -lcheck -lsubunit -lrt -lm
$(UNIT) $(TOOLS): $(BUILD)/%: $(BUILD)/%.o $(SUPPORT) $(CLOCK) $(LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(CEL): $(CEL_OF)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/cel-example: $(BUILD)/policy/cel/example.o $(CEL)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs re2 2>/dev/null) -lstdc++ -lpthread -lm

unit: $(UNIT)
	$(Q)tests/run --build $(BUILD) unit

check: all $(BUILD)/countersignd-scripted $(BUILD)/cel-example $(UNIT) $(TOOLS) check-floors check-headers
	$(Q)tests/run --build $(BUILD) unit conformance journeys web browser

check-floors:
	$(Q)script/check-floors

# Every public header compiles alone.
check-headers:
	$(Q)for header in $$(ls gateway/*/*.h policy/*.h policy/*/*.h notifiers/*.h 2>/dev/null); do \
	  echo "#include \"$${header#gateway/}\"" | $(CC) $(CPPFLAGS) $(filter-out -Werror,$(CFLAGS)) -Werror -x c -fsyntax-only - || exit 1; done
	@echo "every public header compiles alone"

conformance: all $(BUILD)/cel-example $(TOOLS)
	$(Q)tests/run --build $(BUILD) conformance

bench: all $(TOOLS)
	$(Q)bench/run --build $(BUILD)

ROUNDS  ?= 100
SEED    ?= 1
faults: all $(BUILD)/countersignd-scripted $(TOOLS)
	$(Q)tests/faults/run --build $(BUILD) --rounds $(ROUNDS) --seed $(SEED)

SECONDS ?= 30
fuzz:
	$(Q)tests/fuzz/run --seconds $(SECONDS)

sanitize:
	$(Q)$(MAKE) --no-print-directory BUILD=build-sanitize SANITIZE=1 check

format:
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')
	@echo "formatted $$(git ls-files '*.c' '*.h' | wc -l) files"

clean:
	rm -rf build build-*

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
